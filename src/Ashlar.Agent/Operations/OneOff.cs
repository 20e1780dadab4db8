using System.Globalization;
using Ashlar.Agent.Api;
using Ashlar.Agent.Supervision;

namespace Ashlar.Agent.Operations;

/// <summary>What a one-off command needs to run as if it were of a service. Pure.</summary>
internal static class OneOff
{
    /// <summary>The environment of a service (<c>run</c>) or of an instance, with its port (<c>exec</c>).</summary>
    /// <exception cref="Errors.AshlarException">ASH4012: there is none of that name.</exception>
    public static EnvironmentResult Environment(View view, string? target)
    {
        var services = view.Target.Instances.Where(d => d.Tier == Tiers.Services).ToArray();
        var wanted = target is null
            ? services.FirstOrDefault()
            : services.FirstOrDefault(d => d.Name == target) ?? services.FirstOrDefault(d => d.Service == target);
        if (wanted is null)
        {
            throw AgentErrors.UnknownTarget(target ?? "", [.. view.Target.Stack.Services.Select(s => s.Name)]);
        }

        var environment = wanted.Launch.Environment.SetItem("ASHLAR_RELEASE", wanted.Release);
        if (wanted.Name == target && view.Observed.FirstOrDefault(o => o.Name == target && o.Serves) is { } running)
        {
            environment = environment.SetItem("ASHLAR_INSTANCE", running.Name);
            environment = running.Port == 0 ? environment : environment.SetItem("PORT", running.Port.ToString(CultureInfo.InvariantCulture));
        }

        return new EnvironmentResult(environment, wanted.Launch.WorkingDirectory, wanted.Launch.User);
    }
}
