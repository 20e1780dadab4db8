using System.Net;
using Ashlar.Agent.Reconciling;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Supervision;

/// <summary>How an instance's health is asked.</summary>
/// <param name="Question">What is asked, and what answer is good.</param>
/// <param name="Interval">Time between questions.</param>
/// <param name="Rise">Good answers in a row that make it healthy.</param>
/// <param name="Fall">Bad answers in a row that make it unhealthy.</param>
internal sealed record HealthCheck(HealthQuestion Question, TimeSpan Interval, int Rise, int Fall);

/// <summary>The stack's words about health as a question to an instance. Pure.</summary>
internal static class HealthQuestions
{
    private const int AnyGood = 200;
    private const int LastRedirect = 399;
    private const int LastBelowServerError = 499;

    /// <summary>As the stack says now; a service that is no more in it is asked with the defaults.</summary>
    public static HealthCheck For(Target target, ObservedInstance instance)
    {
        var health = target.Service(instance.Service)?.Health ?? new HealthDefinition();
        var question = new HealthQuestion
        {
            Endpoint = new IPEndPoint(IPAddress.Loopback, instance.Port),
            Path = health.Path ?? "/",
            // Frameworks that check the host know the stack's own.
            Host = target.Stack.Domains.IsEmpty ? "localhost" : target.Stack.Domains[0],
            FirstStatus = health.Status ?? AnyGood,
            LastStatus = health.Status ?? (health.Path is null ? LastBelowServerError : LastRedirect),
            Timeout = health.Timeout,
        };
        return new HealthCheck(question, health.Interval, health.Rise, health.Fall);
    }
}
