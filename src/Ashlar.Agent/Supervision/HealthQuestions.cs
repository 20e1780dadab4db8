using System.Net;
using System.Net.Sockets;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Edge.Gateways;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Supervision;

/// <summary>How an instance's health is asked.</summary>
/// <param name="What">What is asked, for people: <c>/up</c>, <c>postgres</c>.</param>
/// <param name="AskAsync">Asks once. Every failure is an answer; only cancellation throws.</param>
/// <param name="Interval">Time between questions.</param>
/// <param name="Rise">Good answers in a row that make it healthy.</param>
/// <param name="Fall">Bad answers in a row that make it unhealthy.</param>
internal sealed record HealthCheck(
    string What, Func<TimeProvider, CancellationToken, Task<HealthAnswer>> AskAsync, TimeSpan Interval, int Rise, int Fall);

/// <summary>The words of the stack and of the plans about health as a question to an instance. Pure.</summary>
internal static class HealthQuestions
{
    private const int AnyGood = 200;
    private const int LastRedirect = 399;
    private const int LastBelowServerError = 499;
    private static readonly HealthDefinition Defaults = new();

    /// <summary>As the stack says now; a service that is no more in it is asked with the defaults.</summary>
    public static HealthCheck For(Target target, ObservedInstance instance) =>
        instance.Readiness == Readiness.Probe ? Probe(target, instance) : Http(target, instance);

    private static HealthCheck Http(Target target, ObservedInstance instance)
    {
        var service = target.Service(instance.Service);
        var health = service?.Health ?? Defaults;
        var isGateway = service?.Interface is ServiceInterface.FastCgi or ServiceInterface.Cgi;
        var scripts = isGateway && health.Path is not null ? new GatewayScripts(instance.Folder, service!.Root, service.TryFiles, service.Interface == ServiceInterface.Cgi) : null;
        var question = new HealthQuestion
        {
            Endpoint = instance.Socket.Length > 0 ? new UnixDomainSocketEndPoint(instance.Socket) : new IPEndPoint(IPAddress.Loopback, instance.Port),

            // A FastCGI server with all workers busy answers nobody, and is well; who names a path wants it answered.
            ConnectOnly = isGateway && scripts is null,
            Path = health.Path ?? "/",
            // Frameworks that check the host know the stack's own.
            Host = target.Stack.Domains.IsEmpty ? "localhost" : target.Stack.Domains[0],
            FirstStatus = health.Status ?? AnyGood,
            LastStatus = health.Status ?? (health.Path is null ? LastBelowServerError : LastRedirect),
            Timeout = health.Timeout,
        };
        return new HealthCheck(
            question.ConnectOnly ? "a connection" : question.Path,
            (time, cancellation) => scripts is null ? HealthProbe.AskAsync(question, time, cancellation) : GatewayHealth.AskAsync(question, scripts, time, cancellation),
            health.Interval, health.Rise, health.Fall);
    }

    private static HealthCheck Probe(Target target, ObservedInstance instance)
    {
        // One that is not wanted any more is on its way out, and nobody cares how it is.
        var probe = target.Instances.FirstOrDefault(d => d.Tier == instance.Tier && d.Name == instance.Name)?.Probe;
        return new HealthCheck(
            probe?.Kind ?? "",
            (_, cancellation) => probe is null
                ? Task.FromResult(new HealthAnswer(true, 0, "not asked", TimeSpan.Zero))
                : Tiers.Probes[probe.Kind](probe, cancellation),
            Defaults.Interval, Defaults.Rise, Defaults.Fall);
    }
}
