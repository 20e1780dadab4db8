using System.Collections.Immutable;
using System.Text;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Store;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines.Fencing;

/// <summary>
/// Renews the leases of what runs here once in the stack. While the shared store cannot be reached it asks the machines that could take
/// the place: where all of them agree, nobody takes it, and the instance goes on.
/// </summary>
/// <param name="fence">Told of each answer.</param>
/// <param name="store">The shared store itself, not a copy of it.</param>
/// <param name="own">Name of this machine.</param>
/// <param name="agree">Asks a machine whether it leaves a lease to us.</param>
/// <param name="log">Told of changes.</param>
/// <param name="time">Clock.</param>
internal sealed class LeaseKeeper(Fence fence, IStore store, string own, Func<string, string, CancellationToken, Task<bool>> agree, AgentLog log, TimeProvider time)
{
    // Revision at which each was taken.
    private readonly Dictionary<string, long> _claimed = new(StringComparer.Ordinal);
    private long _lease;
    private string _said = "";

    /// <summary>Renews them until cancelled.</summary>
    /// <param name="loop">The agent's loop, woken when an instance may run, or may no longer.</param>
    /// <param name="needed">Called on the loop: leases with the machines that could take the place.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(AgentLoop loop, Func<ImmutableArray<(string Lease, ImmutableArray<string> Machines)>> needed, CancellationToken cancellation)
    {
        while (true)
        {
            var leases = await loop.AskAsync(needed);
            var held = true;
            foreach (var (lease, machines) in leases)
            {
                held &= await TurnAsync(lease, machines, cancellation);
            }

            await ForgetAsync([.. leases.Select(needs => needs.Lease)], cancellation);
            loop.Post(() => { });
            await Task.Delay(held ? HeldLease.Between : HeldLease.Between / 5, time, cancellation);
        }
    }

    /// <summary>Asks once. True: it is held.</summary>
    public async Task<bool> TurnAsync(string lease, ImmutableArray<string> machines, CancellationToken cancellation)
    {
        var asked = time.GetTimestamp();
        using var patience = new CancellationTokenSource(HeldLease.Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            var holder = await RenewAsync(lease, both.Token);
            Say(lease, holder is null, holder is null ? $"this machine has the lease of the {lease}" : $"machine {holder} has the lease of the {lease}");
            fence.Note(lease, held => holder is null ? held.Renewed(asked) : held.Refused(holder));
            return holder is null;
        }
        catch (Exception e) when (e is AshlarException or LeaseLostException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return await AgreedAsync(lease, machines, cancellation);
        }
    }

    private async Task<bool> AgreedAsync(string lease, ImmutableArray<string> machines, CancellationToken cancellation)
    {
        var asked = time.GetTimestamp();
        using var patience = new CancellationTokenSource(HeldLease.Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        var answers = await Task.WhenAll(machines.Distinct(StringComparer.Ordinal).Select(machine => AgreesAsync(machine, lease, both.Token)));
        var agreed = answers.Length > 0 && Array.TrueForAll(answers, yes => yes);
        Say(lease, agreed, agreed
            ? $"the shared state cannot be reached; {string.Join(", ", machines)} leave the lease of the {lease} to this machine"
            : $"the lease of the {lease} cannot be renewed, and not all machines that could take its place leave it to this one");
        if (agreed)
        {
            // Only what has been held can be left to us: who begins asks the store.
            fence.Note(lease, held => held.Asked is null || held.Holder is not null ? held : held.Renewed(asked));
        }

        return agreed;
    }

    private async Task<bool> AgreesAsync(string machine, string lease, CancellationToken cancellation)
    {
        try
        {
            return await agree(machine, lease, cancellation);
        }
        catch (Exception e) when (e is AshlarException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Renews it, or takes it where nobody has it; gives the other machine that has it.</summary>
    private async Task<string?> RenewAsync(string lease, CancellationToken cancellation)
    {
        if (_lease == 0 || !await store.KeepAliveAsync(_lease, cancellation))
        {
            _claimed.Clear();
            _lease = await store.GrantLeaseAsync(HeldLease.Life, cancellation);
        }

        if (_claimed.ContainsKey(lease))
        {
            return null;
        }

        // What an agent of this machine held before is taken over: it is this machine that has the data.
        var key = Keys.Lease(lease);
        var entry = await store.GetAsync(key, cancellation);
        if (entry is not null && Encoding.UTF8.GetString(entry.Value.Span) is var holder && holder != own)
        {
            return holder;
        }

        var taken = await store.CommitAsync(
            new StoreTransaction([new StoreCondition(key, ModRevision: entry?.ModRevision ?? 0)], [new StoreWrite(key, Encoding.UTF8.GetBytes(own), _lease)]), cancellation);
        if (!taken.Succeeded)
        {
            throw new LeaseLostException(_lease);
        }

        _claimed[lease] = taken.Revision;
        return null;
    }

    /// <summary>Gives back what is needed no more.</summary>
    public async Task ForgetAsync(ImmutableHashSet<string> needed, CancellationToken cancellation)
    {
        foreach (var (lease, revision) in _claimed.Where(claimed => !needed.Contains(claimed.Key)).ToArray())
        {
            fence.Forget(lease);
            try
            {
                await store.CommitAsync(new StoreTransaction([new StoreCondition(Keys.Lease(lease), ModRevision: revision)], [new StoreWrite(Keys.Lease(lease), null)]), cancellation);
                _claimed.Remove(lease);
            }
            catch (AshlarException)
            {
                // It ends by itself; the next turn tries again.
            }
        }
    }

    private void Say(string lease, bool held, string line)
    {
        if (_said != line)
        {
            _said = line;
            if (held)
            {
                log.Info(LogEvent.Machine, line);
            }
            else
            {
                log.Warning(LogEvent.Machine, line);
            }
        }
    }
}
