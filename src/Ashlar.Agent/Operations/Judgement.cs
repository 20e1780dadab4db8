using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Agent.Operations;

/// <summary>Whether what is ordered has been reached on this machine, or has failed. Pure.</summary>
internal static class Judgement
{
    /// <summary>True: all that is wanted is healthy, and what is not is on its way out.</summary>
    /// <param name="verb">The order, for errors.</param>
    /// <param name="target">What is wanted.</param>
    /// <param name="failing">What had failed before the order.</param>
    /// <param name="view">What is.</param>
    /// <exception cref="AshlarException">An instance failed, the agent cannot do what is to be done, or all is taken down.</exception>
    public static bool IsReached(string verb, Target target, IReadOnlySet<string> failing, View view)
    {
        if (view.Shutdown != Shutdown.No)
        {
            throw AgentErrors.TakenDown(verb);
        }

        if (view.Trouble is { } trouble)
        {
            throw new AshlarException(trouble);
        }

        var (wanted, others) = (0, 0);
        foreach (var o in view.Observed.Where(o => !o.Leaves && o.State != InstanceState.Stopped))
        {
            if (!target.Instances.Concat(view.Staying).Any(d => d.Tier == o.Tier && d.Name == o.Name && d.Fingerprint == o.Fingerprint))
            {
                others++;
                continue;
            }

            if (HasFailed(o) && !failing.Contains(o.Id))
            {
                throw Failed(o);
            }

            wanted += o.State == InstanceState.Healthy || failing.Contains(o.Id) ? 1 : 0;
        }

        return others == 0 && wanted == target.Instances.Length + view.Staying.Length;
    }

    /// <summary>True: it has failed. That is told when the process has ended and its last lines are there.</summary>
    public static bool HasFailed(ObservedInstance o) => o is { Failure: not null, State: InstanceState.Backoff or InstanceState.Crashed };

    /// <summary>What is wrong with an instance that has failed, with its last lines.</summary>
    public static AshlarException Failed(ObservedInstance o) => new(o.LastLines.IsEmpty || ErrorLines.Find(o.LastLines) == o.Failure
        ? o.Failure!
        : o.Failure! with { Message = $"{o.Failure!.Message}\nIts last lines:{string.Concat(o.LastLines.Select(line => $"\n    {line}"))}" });
}
