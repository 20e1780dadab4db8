using System.Globalization;
using Ashlar.Agent.Api;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Delivery.Plans;

namespace Ashlar.Agent.Operations;

/// <summary>What a one-off command needs to run as if it were of a service. Pure.</summary>
internal static class OneOff
{
    /// <summary>The environment of a service (<c>run</c>) or of an instance, with its port (<c>exec</c>).</summary>
    /// <exception cref="Errors.AshlarException">There is none of that name.</exception>
    public static EnvironmentResult Environment(View view, EnvironmentArguments arguments)
    {
        var named = arguments.Target is null && arguments.Word is { } word ? view.Target.Service(word) : null;
        var target = named?.Name ?? arguments.Target;
        var services = view.Target.Instances.Where(d => d.Tier == Tiers.Services).ToArray();
        var wanted = target is null
            ? services.FirstOrDefault() ?? One(view, view.Target.Stack.Services.FirstOrDefault()?.Name)
            : services.FirstOrDefault(d => d.Name == target) ?? services.FirstOrDefault(d => d.Service == target) ?? One(view, target);
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

        return new EnvironmentResult(environment, wanted.Launch.WorkingDirectory, wanted.Launch.User, named?.Run);
    }

    // A service that is scaled to none, or stopped, has an environment all the same.
    private static DesiredInstance? One(View view, string? service) =>
        service is null || view.Target.Context is not { } context || view.Target.Service(service) is null
            ? null
            : ServicesPlan.Plan(Tiers.Complete(context) with { Scale = context.Scale.SetItem(service, 1), Stopped = [] })
                .FirstOrDefault(d => d.Service == service);
}
