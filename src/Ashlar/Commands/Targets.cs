using System.CommandLine;

namespace Ashlar.Commands;

/// <summary>Services and instances as arguments.</summary>
internal static class Targets
{
    /// <summary>Any number of services (<c>web</c>) and instances (<c>web.1</c>).</summary>
    public static Argument<string[]> Argument() => new("TARGET")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = "service (web) or instance (web.1); none: all services",
    };

    /// <summary>The targets as people read them.</summary>
    public static string Say(string[] targets) => targets.Length == 0 ? "all services" : string.Join(", ", targets);
}
