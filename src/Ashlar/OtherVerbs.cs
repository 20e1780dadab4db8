using System.Collections.Frozen;

namespace Ashlar;

/// <summary>What people call a verb who come from Heroku's, Compose's or Fly's command line.</summary>
internal static class OtherVerbs
{
    // Heroku's, which take the same words behind them.
    private static readonly FrozenDictionary<string, string> _same = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ps:scale"] = "scale",
        ["ps:restart"] = "restart",
        ["ps:stop"] = "stop",
        ["ps:exec"] = "exec",
        ["releases:rollback"] = "rollback",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> _other = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["addons"] = "the keys database, queue and cache of the stack file",
        ["apps"] = "ashlar ps, in the stack's folder",
        ["bash"] = "ashlar exec SERVICE",
        ["certs"] = "ashlar certificates",
        ["deploy"] = "ashlar up",
        ["domains"] = "the keys domains and route of the stack file, ashlar dns for names",
        ["env"] = "ashlar config",
        ["info"] = "ashlar status",
        ["kill"] = "ashlar stop",
        ["launch"] = "ashlar init",
        ["list"] = "ashlar ps",
        ["ls"] = "ashlar ps",
        ["open"] = "ashlar status, which tells the address",
        ["psql"] = "ashlar pg psql",
        ["push"] = "ashlar up",
        ["rm"] = "ashlar destroy",
        ["secrets"] = "ashlar config",
        ["ssh"] = "ashlar exec SERVICE",
        ["stat"] = "ashlar status",
        ["tail"] = "ashlar logs -f",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The verb here that is meant by such a word and takes the same words behind it; null: there is none.</summary>
    public static string? SameAs(string word) => _same.GetValueOrDefault(word);

    /// <summary>What to use instead; null: nothing is known of it.</summary>
    public static string? Instead(string verb) => _other.GetValueOrDefault(verb);
}
