using System.Collections.Immutable;
using Ashlar.Stack;

namespace Ashlar.Delivery.Plans;

/// <summary>
/// What a service finds in its environment, by precedence: the agent's own few, stack, service, <c>.env</c>, config vars, then what
/// release and instance say.
/// </summary>
public static class ServiceEnvironment
{
    /// <summary>All that is taken over from the agent's environment: its other variables are none of the app's business.</summary>
    private static readonly string[] Inherited = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ"];

    // A build's log is for what the build says; nobody agrees to telemetry by deploying.
    private static readonly string[] QuietDotnet = 
    [
        "DOTNET_NOLOGO", "DOTNET_CLI_TELEMETRY_OPTOUT", "DOTNET_SKIP_FIRST_TIME_EXPERIENCE", "DOTNET_SKIP_WORKLOAD_INTEGRITY_CHECK",
    ];

    /// <summary>The part of this process's environment that services get.</summary>
    public static ImmutableSortedDictionary<string, string> FromAgent() =>
        Inherited
            .Select(name => (Name: name, Value: Environment.GetEnvironmentVariable(name)))
            .Where(pair => pair.Value is not null)
            .ToImmutableSortedDictionary(pair => pair.Name, pair => pair.Value!, StringComparer.Ordinal);

    /// <summary>The environment of a service, or with none of the stack's release command.</summary>
    /// <param name="agent">As <see cref="FromAgent"/> gives it.</param>
    /// <param name="stack">The stack.</param>
    /// <param name="service">The service; null: only what all have in common.</param>
    /// <param name="configVars">Config vars.</param>
    /// <param name="release">Name of the release.</param>
    public static ImmutableSortedDictionary<string, string>.Builder Of(
        ImmutableSortedDictionary<string, string> agent,
        StackDefinition stack,
        ServiceDefinition? service,
        ImmutableSortedDictionary<string, string> configVars,
        string release)
    {
        var environment = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in agent)
        {
            environment[name] = value;
        }

        environment["PYTHONUNBUFFERED"] = "1";
        foreach (var layer in (ImmutableSortedDictionary<string, string>?[])[stack.Env, service?.Env, stack.DotEnv, configVars])
        {
            foreach (var (name, value) in layer ?? ImmutableSortedDictionary<string, string>.Empty)
            {
                environment[name] = value;
            }
        }

        environment["ASHLAR_RELEASE"] = release;
        if (service is not null)
        {
            environment["ASHLAR_SERVICE"] = service.Name;
        }

        return environment;
    }

    /// <summary>The environment of a build or of the release command: as <see cref="Of"/>, and .NET's tools greet nobody unless told to.</summary>
    public static ImmutableSortedDictionary<string, string> OfBuild(
        StackDefinition stack, ServiceDefinition? service, ImmutableSortedDictionary<string, string> configVars, string release)
    {
        var environment = Of(FromAgent(), stack, service, configVars, release);
        foreach (var name in QuietDotnet)
        {
            environment.TryAdd(name, "1");
        }

        return environment.ToImmutable();
    }
}
