using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Postgres.Watching;

/// <summary>
/// Looks at the servers: each second while something changes, every five when nothing does. Reports roles and lag, counts, has replicas
/// that cannot catch up cloned again, and lets go of what removed ones leave. It only looks at what is, so it can begin at any time.
/// </summary>
internal sealed class ClusterWatch : ITierWatch
{
    private const int MostQuiet = 5;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SizeEvery = TimeSpan.FromSeconds(60);
    private readonly TierWatchHost _host;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Dictionary<int, ServerLink> _links = [];
    private readonly Dictionary<int, long> _notStreamingSince = [];
    private readonly Dictionary<int, long> _asked = [];
    private readonly HashSet<string> _warned = new(StringComparer.Ordinal);
    private readonly HashSet<string> _reported = new(StringComparer.Ordinal);
    private readonly Lock _deleting = new();
    private readonly Task _running;
    private volatile PlanContext? _wanted;
    private WatchMetrics? _metrics;
    private (long Position, long Transactions) _activity;
    private long? _sizeAt;
    private long _pursuedAt;
    private bool _cleaned;

    public ClusterWatch(TierWatchHost host, TimeProvider time)
    {
        (_host, _time) = (host, time);
        _running = Task.Run(RunAsync);
    }

    /// <inheritdoc />
    public void Pursue(PlanContext context, ImmutableArray<DesiredInstance> instances)
    {
        // After this no folder is deleted that the new plan wants: the instance may be started in it at once.
        lock (_deleting)
        {
            _wanted = instances.IsEmpty ? null : context;
        }

        _changed.Release();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running;
        await CloseAsync([]);
        _metrics?.Dispose();
        _ending.Dispose();
        _changed.Dispose();
    }

    private async Task RunAsync()
    {
        var quiet = 0;
        try
        {
            while (true)
            {
                var pause = _wanted is null ? Timeout.InfiniteTimeSpan : Second * Math.Clamp(quiet, 1, MostQuiet);
                if (await _changed.WaitAsync(pause, _ending.Token))
                {
                    (quiet, _cleaned, _pursuedAt) = (0, false, _time.GetTimestamp());
                }

                quiet = await LookOnceAsync() ? 0 : quiet + 1;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Looks at all servers. True: something changes.</summary>
    private async Task<bool> LookOnceAsync()
    {
        if (_wanted is not { } context)
        {
            await CloseAsync([]);
            return false;
        }

        try
        {
            return await LookAsync(context);
        }
        catch (Exception e) when (e is not OutOfMemoryException and not OperationCanceledException)
        {
            Warn("watch", PostgresErrors.ToolFailed("the watch over the servers", $"{e.GetType().Name}: {e.Message.TrimEnd('.')}").Error);
            return true;
        }
    }

    private async Task<bool> LookAsync(PlanContext context)
    {
        var replicas = ClusterNames.ReplicasWanted(context);
        await LinkAsync(context, 1 + replicas);
        _metrics ??= WatchMetrics.Create(context.StateFolder);
        var looks = await Task.WhenAll(_links.Values.OrderBy(link => link.Index).Select(async link => (Link: link, Look: await link.LookAsync(_ending.Token))));
        var (primaryLink, primary) = looks.FirstOrDefault(l => l.Look is { InRecovery: false });
        var withSize = _sizeAt is not { } at || _time.GetElapsedTime(at) >= SizeEvery;
        var followers = primaryLink is null ? null : await primaryLink.FollowersAsync(withSize, _ending.Token);
        _sizeAt = withSize && followers is not null ? _time.GetTimestamp() : _sizeAt;

        var busy = false;
        foreach (var (link, look) in looks)
        {
            var name = ClusterNames.Instance(link.Index);
            if (look is null)
            {
                busy = true;
                Gone(name, followers);
                continue;
            }

            var (bytes, seconds) = look.InRecovery ? Lag.Of(look, primary) : (null, null);
            Report(name, new InstanceFact(look.InRecovery ? "replica" : "primary", bytes, seconds is { } s ? Math.Round(s, 1) : null, DetailOf(look, primary)));
            _metrics.Note(name, look, bytes, seconds, look.InRecovery ? null : followers?.Bytes);
            Judge(context, name, look);
            busy |= bytes > 0 || (look.InRecovery && !look.Streams);
        }

        if (followers is not null && primaryLink is not null)
        {
            Mend(looks, followers);
            if (!_cleaned)
            {
                _cleaned = await CleanAsync(context, primaryLink, followers, 1 + replicas);
            }
        }

        return HasMoved(primary) || busy || !_cleaned;
    }

    // Our own looks are transactions too, one or two of them.
    private bool HasMoved(ServerLook? primary)
    {
        const int own = 3 * MostQuiet;
        var now = primary is null ? default : (primary.Position, primary.Counts.Commits + primary.Counts.Rollbacks);
        var moved = now.Position != _activity.Position || now.Item2 - _activity.Transactions > own;
        _activity = now;
        return moved;
    }

    private static string DetailOf(ServerLook look, ServerLook? primary) => look switch
    {
        { InRecovery: true, Streams: false } when primary is not null => "does not stream",
        { InRecovery: true } when primary is null => "its primary does not answer",
        _ => "",
    };

    private void Gone(string name, Followers? followers)
    {
        _metrics!.Gone(name);
        if (followers is not null && followers.Clones.TryGetValue(name, out var percent))
        {
            Report(name, new InstanceFact("replica", Detail: percent is { } p ? string.Create(CultureInfo.InvariantCulture, $"cloning {p} %") : "cloning"));
        }
        else if (_reported.Remove(name))
        {
            _host.Report(name, null);
        }
    }

    private void Judge(PlanContext context, string name, ServerLook look)
    {
        if (look.Counts.ChecksumFailures is var failures and > 0)
        {
            Warn($"checksums {name} {failures}", PostgresErrors.ChecksumFailures(name, failures));
        }

        var version = look.Version / 10_000;
        if (version != PostgresVersions.Proven)
        {
            Warn($"version {version}", PostgresErrors.Unproven(version));
        }

        var folder = ClusterNames.Folder(context.StateFolder, name);
        if (!Directory.Exists(folder))
        {
            return;
        }

        var disk = new DataFolder(folder).Disk();
        if (DiskSpace.IsLow(disk.Free, disk.Total))
        {
            Warn($"disk {name}", PostgresErrors.DiskNearlyFull(name, disk.Free, disk.Total));
        }
        else if (DiskSpace.IsAmple(disk.Free, disk.Total))
        {
            _warned.Remove($"disk {name}");
        }
    }

    /// <summary>Has replicas started again that cannot go on: their preparation then finds out whether they need a new copy.</summary>
    private void Mend(IEnumerable<(ServerLink Link, ServerLook? Look)> looks, Followers followers)
    {
        foreach (var (link, look) in looks.Where(l => l.Look is null or { InRecovery: true }))
        {
            var name = ClusterNames.Instance(link.Index);
            var slot = followers.Slots.FirstOrDefault(s => s.Name == ClusterNames.Slot(link.Index));
            if (look is null or { Streams: true })
            {
                _notStreamingSince.Remove(link.Index);
            }
            else
            {
                _notStreamingSince.TryAdd(link.Index, _time.GetTimestamp());
            }

            var why = look is null ? null
                : slot?.State == "lost" ? "the primary could not keep the log that it needs"
                : _notStreamingSince.TryGetValue(link.Index, out var since) && _time.GetElapsedTime(since) > Stuck ? "it has not streamed for some time"
                : null;
            if (why is not null && (!_asked.TryGetValue(link.Index, out var asked) || _time.GetElapsedTime(asked) > AskAgain))
            {
                _asked[link.Index] = _time.GetTimestamp();
                if (slot?.State == "lost")
                {
                    _host.Warn(PostgresErrors.CannotCatchUp(name, why));
                }

                _host.Restart(name, why);
            }
        }
    }

    /// <summary>Lets go of what is not wanted. True: nothing is left to do.</summary>
    private async Task<bool> CleanAsync(PlanContext context, ServerLink primary, Followers followers, int servers)
    {
        var data = Path.Combine(context.StateFolder, "data");
        var done = true;
        foreach (var slot in followers.Slots.Where(s => ClusterNames.IndexOfSlot(s.Name) is { } index && index > servers))
        {
            done &= !slot.Active && await primary.DropSlotAsync(slot.Name, _ending.Token);
        }

        var left = RemovedReplicas.WithFolder(data).Where(index => index > servers).ToArray();
        if (left.Length == 0 || !done || _time.GetElapsedTime(_pursuedAt) < Calm || await primary.SystemAsync(_ending.Token) is not { } system)
        {
            return done && left.Length == 0;
        }

        foreach (var folder in left.Select(index => ClusterNames.Folder(context.StateFolder, ClusterNames.Instance(index))))
        {
            if (RemovedReplicas.IsIdleCopy(folder, system, out var why))
            {
                done &= Delete(context, folder);
            }
            else if (why.Length > 0)
            {
                Warn($"left {folder}", RemovedReplicas.Left(folder, why));
            }
            else
            {
                done = false;
            }
        }

        return done;
    }

    private bool Delete(PlanContext context, string folder)
    {
        string? trash;
        lock (_deleting)
        {
            trash = _wanted == context ? RemovedReplicas.MoveAway(folder) : null;
        }

        return trash is not null && RemovedReplicas.Delete(trash);
    }

    private async Task LinkAsync(PlanContext context, int servers)
    {
        var password = context.Secrets.GetValueOrDefault(ClusterNames.Secret(ClusterNames.Replicator), "");
        var wanted = Enumerable.Range(1, servers).Select(index => (Index: index, Port: context.Ports.GetValueOrDefault(ClusterNames.Instance(index)))).Where(s => s.Port != 0).ToArray();
        await CloseAsync(wanted);
        foreach (var (index, port) in wanted)
        {
            _links.TryAdd(index, new ServerLink(index, port, password));
        }
    }

    private async Task CloseAsync((int Index, int Port)[] except)
    {
        foreach (var link in _links.Values.Where(link => !except.Contains((link.Index, link.Port))).ToArray())
        {
            _links.Remove(link.Index);
            await link.DisposeAsync();
            var name = ClusterNames.Instance(link.Index);
            if (_reported.Remove(name))
            {
                _host.Report(name, null);
            }
        }
    }

    private void Report(string name, InstanceFact fact)
    {
        _reported.Add(name);
        _host.Report(name, fact);
    }

    private void Warn(string what, AshlarError error)
    {
        if (_warned.Add(what))
        {
            _host.Warn(error);
        }
    }
}
