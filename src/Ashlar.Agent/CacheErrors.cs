using Ashlar.Errors;

namespace Ashlar.Agent;

/// <summary>Errors about the HTTP cache that a person can meet: ASH3080 to ASH3099.</summary>
public static class CacheErrors
{
    /// <summary>A verb about the cache, and the stack has none.</summary>
    public static AshlarException NoCache() => new(new AshlarError(
        "ASH3080", "edge", "The stack's edge has no HTTP cache.", "Add edge: {cache: 256MiB} to the stack file, then run: ashlar up."));

    /// <summary>Not every edge has carried out a purge: what was to be taken out may still be served there.</summary>
    public static AshlarException NotEverywhere(string where) => new(new AshlarError(
        "ASH3081", "edge", $"The purge does not hold everywhere: {where}.",
        "Repeat it once the machine is there (ashlar machines list, ashlar ps); an edge that starts anew has nothing stored."));

    /// <summary>A purge or a question names no URL that can be one.</summary>
    public static AshlarException BadUrl(string url) => new(new AshlarError(
        "ASH3082", "edge", $"'{url}' is neither a URL such as https://shop.test/page nor a path such as /page.", "Give the whole URL, or the path that is meant on every host."));
}
