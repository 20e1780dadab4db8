using System.Collections.Frozen;

namespace Ashlar.Stack;

/// <summary>What people call a key who come from another program: Compose, Kubernetes, Fly, Render, Heroku.</summary>
internal static class OtherNames
{
    private static readonly FrozenDictionary<string, string> _names = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["command"] = "run",
        ["cmd"] = "run",
        ["exec"] = "run",
        ["entrypoint"] = "run",
        ["startCommand"] = "run",
        ["buildCommand"] = "build",
        ["replicas"] = "instances",
        ["processes"] = "instances",
        ["count"] = "instances",
        ["numInstances"] = "instances",
        ["environment"] = "env",
        ["envVars"] = "env",
        ["variables"] = "env",
        ["domain"] = "route",
        ["domains"] = "route",
        ["host"] = "route",
        ["hosts"] = "route",
        ["routes"] = "route",
        ["healthcheck"] = "health",
        ["healthCheckPath"] = "health",
        ["working_dir"] = "directory",
        ["rootDir"] = "directory",
        ["cron"] = "schedule",
        ["db"] = "database",
        ["postgres"] = "database",
        ["postgresql"] = "database",
        ["redis"] = "cache",
        ["release_command"] = "release",
        ["preDeployCommand"] = "release",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The name here of what is called so elsewhere, if it is one of these; or null.</summary>
    public static string? Of(string name, IEnumerable<string> known) =>
        _names.TryGetValue(name, out var here) && known.Contains(here, StringComparer.Ordinal) ? here : null;
}
