using System.Collections.Immutable;
using Ashlar.Catalog;

namespace Ashlar.Agent.Reconciling;

/// <summary>What a pass found to do.</summary>
/// <param name="Steps">In order; empty when nothing is to be done now.</param>
/// <param name="WakeAt">When time alone makes something due; null: only an event can.</param>
internal sealed record ReconcileResult(ImmutableArray<Step> Steps, DateTimeOffset? WakeAt);

/// <summary>How the stack is being taken down, if it is.</summary>
internal enum Shutdown
{
    /// <summary>It is not.</summary>
    No,

    /// <summary>In order: workers, then what has endpoints, then the tiers in front of them.</summary>
    InOrder,

    /// <summary>All at once, by SIGKILL.</summary>
    Now,
}

/// <summary>
/// Desired + observed → steps. Pure, level-triggered and idempotent: it looks only at what is, never at how it came to be,
/// so whatever interrupts a change, the next pass completes it.
/// <para>
/// A service is replaced slot by slot (a slot is <c>web.1</c>): a new generation starts beside the old one, the old one leaves
/// once the new one is healthy, and the next slot waits until it is gone. So at most one instance is surplus, and a new
/// instance that fails halts the roll with all that served still serving.
/// </para>
/// </summary>
internal static class Reconciler
{
    /// <summary>One pass.</summary>
    /// <param name="desired">What the tiers' plans want.</param>
    /// <param name="observed">What is.</param>
    /// <param name="now">The time that <see cref="ObservedInstance.DueAt"/> is compared with.</param>
    /// <param name="tiers">Tiers in the order in which they stop; they start in the opposite order.</param>
    /// <param name="shutdown">With anything but <see cref="Shutdown.No"/> nothing is wanted.</param>
    public static ReconcileResult Reconcile(
        IReadOnlyCollection<DesiredInstance> desired,
        IReadOnlyCollection<ObservedInstance> observed,
        DateTimeOffset now,
        ImmutableArray<string> tiers,
        Shutdown shutdown = Shutdown.No)
    {
        var pass = new Pass(now);
        if (shutdown != Shutdown.No)
        {
            TakeDown(pass, observed, tiers, shutdown);
        }
        else
        {
            var coming = Coming(pass, desired, observed);
            var wanted = desired.ToLookup(d => (d.Tier, d.Service));
            var present = observed.ToLookup(o => (o.Tier, o.Service));
            var services = desired.Select(d => (d.Tier, d.Service)).Concat(observed.Select(o => (o.Tier, o.Service)))
                .Distinct().OrderByDescending(s => tiers.IndexOf(s.Tier));
            foreach (var service in services)
            {
                ReconcileService(pass, [.. wanted[service]], [.. present[service]], coming);
            }
        }

        return pass.Result();
    }

    /// <summary>True when exactly what is wanted runs, and all of it is healthy.</summary>
    public static bool IsReached(IReadOnlyCollection<DesiredInstance> desired, IReadOnlyCollection<ObservedInstance> observed) =>
        desired.Count == observed.Count && desired.All(d => observed.Any(o =>
            o.Tier == d.Tier && o.Name == d.Name && o.Fingerprint == d.Fingerprint && o.State == InstanceState.Healthy));

    /// <summary>
    /// Wanted instances that are on their way up. One that fails is not: what waits for it would wait for ever. Nor one for which nobody waits
    /// that long.
    /// </summary>
    private static HashSet<string> Coming(Pass pass, IReadOnlyCollection<DesiredInstance> desired, IReadOnlyCollection<ObservedInstance> observed)
    {
        var awaited = desired.SelectMany(d => d.After).ToHashSet(StringComparer.Ordinal);
        bool IsOverdue(DesiredInstance d, ObservedInstance o) => o.State == InstanceState.Starting && d.AwaitedFor is { } patience && pass.IsDue(o.Started + patience);
        return desired.Where(d => awaited.Contains(d.Name) && !observed.Any(o => o.Name == d.Name && o.Fingerprint == d.Fingerprint
                && (o.State is not (InstanceState.Pending or InstanceState.Starting) || IsOverdue(d, o))))
            .Select(d => d.Name).ToHashSet(StringComparer.Ordinal);
    }

    private static void ReconcileService(Pass pass, DesiredInstance[] desired, ObservedInstance[] observed, HashSet<string> coming)
    {
        var before = pass.Count;
        foreach (var instance in observed)
        {
            pass.Continue(instance);
        }

        var slots = desired.OrderBy(d => d.Exclusive ? -d.Index : d.Index).Select(d => new Slot(d, observed)).ToArray();
        var replacing = slots.Any(s => s.InReplacement);
        foreach (var slot in slots)
        {
            // What has nothing in it yet and waits for others is left alone until these are up; one of its own service that runs as it
            // was is up until its own turn comes, after this one's.
            if (slot.Current is not null || !slot.Desired.After.Any(name => coming.Contains(name) && !slots.Any(s => s.Desired.Name == name && s.RunsAsItWas)))
            {
                replacing |= slot.Desired.Exclusive ? FillExclusive(pass, slot, replacing) : Fill(pass, slot, replacing);
            }
        }

        foreach (var slot in slots)
        {
            Relieve(pass, slot);
        }

        // What is not wanted at all goes last, highest index first, and only while enough others serve.
        var healthy = observed.Where(o => o.State == InstanceState.Healthy).Select(o => o.Index).Distinct().Count();
        var surplus = observed.Where(o => !desired.Any(d => d.Index == o.Index)).OrderByDescending(o => o.Index).ThenBy(o => o.Generation);
        foreach (var instance in surplus)
        {
            if (!instance.Serves)
            {
                pass.ForgetIfWaiting(instance);
            }
            else if (instance.State != InstanceState.Healthy)
            {
                pass.Leave(instance);
            }
            else if (healthy > desired.Length)
            {
                pass.Leave(instance);
                healthy--;
            }
        }

        if (pass.Count == before)
        {
            Recycle(pass, slots, observed);
        }
    }

    /// <summary>Sees to it that the slot has an instance of the wanted kind. True: that put a second one beside an old one.</summary>
    private static bool Fill(Pass pass, Slot slot, bool replacing)
    {
        if (slot.Current is { } current)
        {
            if (current.State == InstanceState.Pending)
            {
                pass.Add(new Step.Restart(current.Id, slot.Desired));
            }
            else if (current is { State: InstanceState.Backoff or InstanceState.Crashed, DueAt: { } due } && pass.IsDue(due))
            {
                pass.Add(new Step.Restart(current.Id, slot.Desired));
            }

            return false;
        }

        if (slot.Old.Length == 0)
        {
            pass.Add(new Step.Start(slot.Desired));
            return false;
        }

        if (replacing || slot.Old.Length > 1 || slot.Leaving)
        {
            return false;
        }

        pass.Add(new Step.Start(slot.Desired));
        return true;
    }

    /// <summary>The same for an instance that shares data with its successor: the old one ends first. True: one has begun to leave, or to come.</summary>
    private static bool FillExclusive(Pass pass, Slot slot, bool replacing)
    {
        if (slot.Leaving || (slot.Old.Length > 0 && (replacing || slot.Current is not null)))
        {
            return false;
        }

        if (slot.Old.Length == 0)
        {
            Fill(pass, slot, replacing);
            return slot.Current is null;
        }

        pass.Leave(slot.Old[0]);
        return true;
    }

    /// <summary>Lets go of what the slot needs no more.</summary>
    private static void Relieve(Pass pass, Slot slot)
    {
        foreach (var waiting in slot.Waiting)
        {
            pass.ForgetIfWaiting(waiting);
        }

        // Until the new one is healthy the best of the old ones stays; the others are remains of rolls that were overtaken.
        foreach (var old in slot.Current?.State == InstanceState.Healthy || (slot.Desired.Exclusive && slot.Current is not null)
            ? slot.Old : slot.Old.Skip(1))
        {
            pass.Leave(old);
        }
    }

    /// <summary>
    /// Restarts one instance that has failed its health check for too long: it hangs. Only one of a service, and only while all
    /// others run and nothing else is to be done: where what they depend on is slow, all fail at once, and restarting all would make an outage of it.
    /// </summary>
    private static void Recycle(Pass pass, Slot[] slots, ObservedInstance[] observed)
    {
        if (observed.Any(o => o.State is not (InstanceState.Healthy or InstanceState.Unhealthy) || o.Condemned))
        {
            return;
        }

        var hanging = slots.Select(s => s.Current).OfType<ObservedInstance>()
            .Where(o => o is { State: InstanceState.Unhealthy, DueAt: { } due } && pass.IsDue(due)).MinBy(o => o.DueAt);
        if (hanging is not null)
        {
            pass.Add(new Step.Recycle(hanging.Id));
        }
    }

    private static void TakeDown(Pass pass, IReadOnlyCollection<ObservedInstance> observed, ImmutableArray<string> tiers, Shutdown shutdown)
    {
        if (shutdown == Shutdown.Now)
        {
            foreach (var instance in observed)
            {
                pass.KillOrForget(instance);
            }

            return;
        }

        // Within a tier what has no endpoint goes first: it may still call what has one.
        int Rank(ObservedInstance o) => (2 * tiers.IndexOf(o.Tier)) + (o.HasEndpoint ? 1 : 0);
        var rank = observed.Where(o => o.Alive).Select(Rank).DefaultIfEmpty(int.MaxValue).Min();
        foreach (var instance in observed)
        {
            pass.Continue(instance);
            pass.ForgetIfWaiting(instance);
        }

        foreach (var instance in observed.Where(o => o.Serves && Rank(o) == rank))
        {
            pass.Leave(instance);
        }
    }

    /// <summary>One place of a service with all that is in it.</summary>
    private sealed class Slot
    {
        public Slot(DesiredInstance desired, ObservedInstance[] service)
        {
            Desired = desired;
            var here = service.Where(o => o.Index == desired.Index && !o.Leaves && o.State != InstanceState.Stopped)
                .OrderBy(Rank).ThenBy(o => o.Generation).ToArray();
            Leaving = service.Any(o => o.Index == desired.Index && o.Leaves);
            Current = here.FirstOrDefault(o => o.Fingerprint == desired.Fingerprint);
            Old = [.. here.Where(o => o != Current && o.Serves)];
            Waiting = [.. here.Where(o => o != Current && !o.Serves)];
        }

        /// <summary>What is wanted in it.</summary>
        public DesiredInstance Desired { get; }

        /// <summary>The instance of the wanted kind, in whatever state.</summary>
        public ObservedInstance? Current { get; }

        /// <summary>Instances of another kind that run, best first.</summary>
        public ObservedInstance[] Old { get; }

        /// <summary>Instances of another kind without a process.</summary>
        public ObservedInstance[] Waiting { get; }

        /// <summary>Something in it is on its way out.</summary>
        public bool Leaving { get; }

        /// <summary>The old one runs and has not been told to go.</summary>
        public bool RunsAsItWas => Old.Length > 0 && !Leaving;

        /// <summary>A replacement has begun and is not over; a failed one stays in this state, which halts the roll.</summary>
        public bool InReplacement => Desired.Exclusive
            ? Leaving || Current is { State: InstanceState.Pending or InstanceState.Starting }
            : Current is not null && (Old.Length > 0 || Leaving);

        private static int Rank(ObservedInstance o) => o.State switch
        {
            InstanceState.Healthy => 0,
            InstanceState.Unhealthy => 1,
            InstanceState.Starting => 2,
            _ => 3,
        };
    }

    /// <summary>Collects steps and the next time to look.</summary>
    private sealed class Pass(DateTimeOffset now)
    {
        private readonly ImmutableArray<Step>.Builder _steps = ImmutableArray.CreateBuilder<Step>();
        private DateTimeOffset? _wakeAt;

        public ReconcileResult Result() => new(_steps.ToImmutable(), _wakeAt);

        /// <summary>Steps found so far.</summary>
        public int Count => _steps.Count;

        public void Add(Step step) => _steps.Add(step);

        public bool IsDue(DateTimeOffset? time)
        {
            if (time is not { } due || due <= now)
            {
                return true;
            }

            _wakeAt = _wakeAt < due ? _wakeAt : due;
            return false;
        }

        /// <summary>Takes an instance that is on its way out one step further.</summary>
        public void Continue(ObservedInstance o)
        {
            if (o.State == InstanceState.Draining && (o.Drained || IsDue(o.DueAt)))
            {
                Add(new Step.Stop(o.Id));
            }
            else if (o.State == InstanceState.Stopping && !o.Killed && IsDue(o.DueAt))
            {
                Add(new Step.Kill(o.Id));
            }
            else if (o.State == InstanceState.Stopped)
            {
                Add(new Step.Forget(o.Id));
            }
        }

        public void Leave(ObservedInstance o) => Add(o.MustDrain ? new Step.MarkDraining(o.Id) : new Step.Stop(o.Id));

        public void ForgetIfWaiting(ObservedInstance o)
        {
            if (o.State is InstanceState.Pending or InstanceState.Backoff or InstanceState.Crashed)
            {
                Add(new Step.Forget(o.Id));
            }
        }

        public void KillOrForget(ObservedInstance o)
        {
            if (!o.Alive)
            {
                Add(new Step.Forget(o.Id));
            }
            else if (!o.Killed)
            {
                Add(new Step.Kill(o.Id));
            }
        }
    }
}
