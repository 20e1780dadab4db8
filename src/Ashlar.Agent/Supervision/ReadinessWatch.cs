using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Agent.Supervision;

/// <summary>Watches over one process of an instance: when it is ready, and from then on whether it is healthy.</summary>
/// <param name="instance">The instance as it was started or adopted.</param>
/// <param name="health">How its health is asked, as the stack says now.</param>
/// <param name="time">The clock.</param>
internal sealed class ReadinessWatch(ObservedInstance instance, Func<HealthCheck> health, TimeProvider time)
{
    private static readonly TimeSpan AliveAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WhileStarting = TimeSpan.FromMilliseconds(100);

    /// <summary>Watches until cancelled.</summary>
    /// <param name="changed">Told true when it is healthy, false and why when no more.</param>
    /// <param name="notReady">Told why, once, when its time to become ready is over.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(Action<bool, string> changed, Action<AshlarError> notReady, CancellationToken cancellation)
    {
        try
        {
            var starting = instance.State == InstanceState.Starting;
            switch (instance.Readiness)
            {
                case Readiness.Alive when starting:
                    await Task.Delay(AliveAfter, time, cancellation);
                    changed(true, "");
                    break;
                case Readiness.Channel when starting:
                    // Whoever watches the channel tells when it is ready; here only its time runs out.
                    await Task.Delay(instance.StartTimeout, time, cancellation);
                    notReady(AgentErrors.TierSilent(instance.Name, instance.StartTimeout).Error);
                    break;
                case Readiness.Http or Readiness.Probe:
                    await WatchAnswersAsync(starting, changed, notReady, cancellation);
                    break;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task WatchAnswersAsync(bool starting, Action<bool, string> changed, Action<AshlarError> notReady, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        var counted = new HealthState(1, 1, Healthy: instance.State == InstanceState.Healthy);
        while (true)
        {
            var check = health();
            var answer = await check.AskAsync(time, cancellation);
            var next = (counted with { Rise = check.Rise, Fall = check.Fall }).After(answer.Good);
            if (next.Healthy != counted.Healthy)
            {
                starting = false;
                changed(next.Healthy, $"{check.What}: {answer.Text}");
            }

            counted = next;
            if (starting && time.GetElapsedTime(began) > instance.StartTimeout)
            {
                notReady(Explain(check, answer));
                return;
            }

            await Task.Delay(starting ? WhileStarting : check.Interval, time, cancellation);
        }
    }

    private AshlarError Explain(HealthCheck check, HealthAnswer last)
    {
        var pids = instance.Process is { } leader ? ProcessTree.Of(leader.Pid) : [];
        var error = (instance.Socket.Length > 0 ? null : ListeningProbe.Diagnose(instance.Name, pids, instance.Port, instance.StartTimeout))
            ?? ProcessErrors.NeverHealthy(instance.Name, instance.Port, check.What, last.Text, instance.StartTimeout);
        return error.Error;
    }
}
