using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;
using Ashlar.Fleet.Identity;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>The verbs about the state itself: how its store is, a backup, a restore.</summary>
/// <param name="fleet">The other machines; null: the stack stands on one.</param>
/// <param name="shared">The store of many machines; null: there is one.</param>
/// <param name="held">This machine's part; null: there is one.</param>
/// <param name="own">The store of this machine.</param>
/// <param name="state">The stack's folder.</param>
/// <param name="time">The clock.</param>
internal sealed class StateOrders(FleetLink? fleet, MirroredStore? shared, StateHere? held, SqliteStore own, StateFolder state, TimeProvider time)
{
    private const string WithoutMajority = "without a majority";

    /// <summary>How the store is.</summary>
    public async Task<StateResult> ReportAsync(CancellationToken cancellation)
    {
        if (fleet is null)
        {
            return new StateResult
            {
                Store = "sqlite",
                Available = true,
                File = state.Store,
                Size = new FileInfo(state.Store).Length,
                Revision = (await own.ListAsync(Keys.CurrentRelease, cancellation)).Revision,
                Spare = "on this machine alone: with its disk the state is lost; keep backups elsewhere",
            };
        }

        var record = fleet.View.State;
        var options = SharedStore.Options(fleet.Own, fleet.Identity, time);
        var asked = await Task.WhenAll((record?.Members ?? ImmutableSortedDictionary<string, StateMember>.Empty).Select(async member => (Machine: member.Key, Member: member.Value, Answer: await AskAsync(options, member.Value.Client, cancellation))));
        var error = await LookAsync(options, cancellation);
        var statuses = asked.Select(a => a.Answer.Status).OfType<EtcdMemberStatus>().ToArray();
        return new StateResult
        {
            Store = "etcd",
            Available = error is null,
            Error = error,
            Epoch = fleet.Own.Epoch,
            Revision = statuses.Select(status => status.Revision).DefaultIfEmpty().Max(),
            Size = statuses.Select(status => status.Size).DefaultIfEmpty().Max(),
            Quota = EtcdMember.DefaultQuota,
            Members = [.. asked.Select(a => Line(a.Machine, a.Member, a.Answer.Status, a.Answer.Error))],
            Alarms = [.. asked.Where(a => a.Answer.Status is not null).SelectMany(a => StateCare.Warnings(a.Machine, a.Answer.Status!, EtcdMember.DefaultQuota))],
            Spare = StateCare.Spare(record, fleet.View.Records.Count),
        };
    }

    /// <summary>Writes a backup here.</summary>
    /// <exception cref="AshlarException">ASH4070 to ASH4080; ASH7132, ASH7133, ASH7138.</exception>
    public async Task<StateBackupResult> BackupAsync(StateFileArguments arguments, CancellationToken cancellation)
    {
        if (File.Exists(arguments.Path) && !arguments.Replace)
        {
            throw EtcdErrors.BackupThere(arguments.Path);
        }

        if (fleet is not null)
        {
            var report = await EtcdBackup.SaveAsync(SharedStore.Options(fleet.Own, fleet.Identity, time), arguments.Path, cancellation);
            return new StateBackupResult(report.Path, report.Bytes, report.Revision, report.Hash);
        }

        return await StateFile.BackupAsync(own, arguments.Path, cancellation);
    }

    /// <summary>Has the state begin anew here with a backup; returns only by throwing.</summary>
    /// <exception cref="AshlarException">ASH7132, ASH7139.</exception>
    public async Task RestoreAsync(StateFileArguments arguments, Action<string> tell, CancellationToken cancellation)
    {
        if (held is null)
        {
            throw EtcdErrors.RestoreNotNow("the stack stands on one machine and its agent has the state open", "ashlar down, then repeat it, then ashlar up");
        }

        await EtcdBackup.VerifyAsync(arguments.Path, cancellation);
        if (!await IsOursAsync(arguments.Path, cancellation))
        {
            throw EtcdErrors.BackupDamaged(arguments.Path, "it is of another stack: this stack's authority is not in it");
        }

        tell($"The state begins anew on {fleet!.Own.Name} with {arguments.Path}; the other machines follow.");
        await held.RestoreAsync(user => Copy(arguments.Path, user), cancellation);
    }

    /// <summary>The leader says where the state is.</summary>
    public Task HearAsync(StateTold told, CancellationToken cancellation) =>
        held is null || told.Endpoints.IsDefaultOrEmpty ? Task.CompletedTask : held.HearAsync(told.Epoch, told.Endpoints, shared!.IsCutOff, cancellation);

    private static StateMemberLine Line(string machine, StateMember member, EtcdMemberStatus? status, AshlarError? error) => new(
        machine, string.Create(CultureInfo.InvariantCulture, $"{EtcdTier.Service}.{member.Index}"), member.Client.Authority,
        status is null ? "" : status.IsLearner ? "learner" : status.IsLeader ? "leader" : "follower",
        status switch
        {
            // One that knows no leader answers only that.
            null when error!.Message.Contains("no leader", StringComparison.Ordinal) => WithoutMajority,
            null => $"does not answer: {error!.Message}",
            { IsCorrupt: true } => "its data differ from the others'",
            { IsFull: true } => "its space is used up",
            { HasLeader: false } => WithoutMajority,
            { IsLearner: true } => "catching up",
            _ => "healthy",
        },
        status?.Size ?? 0, status?.InUse ?? 0, status?.Version ?? "");

    private static async Task<(EtcdMemberStatus? Status, AshlarError? Error)> AskAsync(EtcdOptions options, Uri endpoint, CancellationToken cancellation)
    {
        try
        {
            return (await EtcdMaintenance.StatusAsync(options, endpoint, cancellation), null);
        }
        catch (AshlarException e)
        {
            return (null, e.Error);
        }
    }

    private static async Task<AshlarError?> LookAsync(EtcdOptions options, CancellationToken cancellation)
    {
        try
        {
            using var gateway = new EtcdGateway(options with { TotalLimit = options.AttemptLimit });
            await gateway.RevisionAsync(cancellation);
            return null;
        }
        catch (AshlarException e)
        {
            return e.Error;
        }
    }

    // In etcd's file a value stands as it was written; what is not ours has another certificate.
    private async Task<bool> IsOursAsync(string path, CancellationToken cancellation)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(state.Identity, MachineIdentity.AuthorityFile), cancellation);
        var sign = Encoding.ASCII.GetBytes(string.Join('\n', lines.Where(line => line.Length > 0 && !line.StartsWith('-')).Take(6)));
        await using var file = File.OpenRead(path);
        var buffer = new byte[1 << 20];
        for (var kept = 0; await file.ReadAsync(buffer.AsMemory(kept), cancellation) is var count and > 0;)
        {
            var filled = kept + count;
            if (buffer.AsSpan(0, filled).IndexOf(sign) >= 0)
            {
                return true;
            }

            kept = Math.Min(sign.Length - 1, filled);
            buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
        }

        return false;
    }

    private string Copy(string path, SystemUser? user)
    {
        var copy = Path.Combine(state.Data, "state.restoring");
        try
        {
            File.Delete(copy);
            using (var to = new FileStream(copy, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                using var from = File.OpenRead(path);
                from.CopyTo(to);
                to.Flush(flushToDisk: true);
            }

            if (user is not null)
            {
                Ownership.Give(copy, user);
            }

            return copy;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw EtcdErrors.RestoreFailed(path, e.Message.TrimEnd('.'));
        }
    }
}
