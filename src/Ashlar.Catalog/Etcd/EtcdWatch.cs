using System.Text.Json;
using Ashlar.Catalog.Store;
using Ashlar.Errors;

namespace Ashlar.Catalog.Etcd;

/// <summary>
/// One watch that lives longer than the connections that carry it: whatever ends or silences one, the next begins where it stood. A change
/// is given once, in order, even where etcd splits the changes of one revision.
/// </summary>
internal sealed class EtcdWatch(EtcdGateway gateway, EtcdOptions options, string prefix, long fromRevision, ulong cluster) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private readonly HashSet<string> _givenAtRevision = new(StringComparer.Ordinal);
    private readonly string _prefix = options.Prefix + prefix;
    private EtcdStream? _stream;
    private CancellationToken _moved;
    private long _next = Math.Max(fromRevision, 1);
    private long _seen;
    private ulong _cluster = cluster;
    private long _failingSince;
    private TimeSpan _pause = FirstPause;

    /// <summary>The next changes, one at least.</summary>
    /// <exception cref="CompactedException">They are no longer kept, or the store was restored from a backup: list again.</exception>
    /// <exception cref="AshlarException">ASH4070 to ASH4075: for as long as a question may take, no member could be watched.</exception>
    public async Task<IReadOnlyList<StoreEvent>> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                _moved = _stream is null ? gateway.Moved : _moved;
                _stream ??= await BeginAsync(cancellation).ConfigureAwait(false);
                if (await ReadAsync(_stream, cancellation).ConfigureAwait(false) is { Count: > 0 } events)
                {
                    return events;
                }
            }
            catch (EtcdFailure failure)
            {
                await RestAsync(EtcdFailure.Explain([failure]), cancellation).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => End();

    private async Task<EtcdStream> BeginAsync(CancellationToken cancellation)
    {
        // One revision early: etcd lets a watch begin at the very revision that was compacted, where a deletion may be missing already.
        var creation = new WatchCreation(
            EtcdKeys.Bytes(_prefix), EtcdKeys.End(_prefix), Math.Max(_next - 1, 1), ProgressNotify: true, Fragment: true);
        try
        {
            return await gateway.OpenAsync("watch", new WatchRequest(creation), EtcdMessages.Default.WatchRequest, cancellation).ConfigureAwait(false);
        }
        catch (EtcdRefusalException e)
        {
            throw EtcdRefusals.Translate(e);
        }
    }

    private async Task<IReadOnlyList<StoreEvent>> ReadAsync(EtcdStream stream, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(options.WatchSilence, options.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, silence.Token, _moved);
        try
        {
            var line = await stream.NextAsync(limit.Token).ConfigureAwait(false)
                ?? throw new EtcdFailure(stream.Endpoint, FailureKind.NoAnswer, "it has ended the watch");
            return await ApplyAsync(stream, Parse(stream.Endpoint, line.Span), cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            if (!_moved.IsCancellationRequested)
            {
                gateway.Avoid(stream.Endpoint);
            }

            End();
            return [];
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            throw new EtcdFailure(stream.Endpoint, FailureKind.Foreign, "its answer is not etcd's", e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw EtcdFailure.Of(stream.Endpoint, e);
        }
    }

    internal static WatchAnswer Parse(Uri endpoint, ReadOnlySpan<byte> line)
    {
        var read = JsonSerializer.Deserialize(line, EtcdMessages.Default.WatchLine);
        if (read?.Error is { } error)
        {
            throw EtcdFailure.Of(endpoint, error.GrpcCode, error.Message ?? "") is EtcdFailure failure
                ? failure
                : new EtcdFailure(endpoint, FailureKind.Declined, error.Message ?? "it has ended the watch");
        }

        return read?.Result is { Header: not null } answer ? answer : throw new JsonException("Neither result nor error.");
    }

    private async Task<IReadOnlyList<StoreEvent>> ApplyAsync(EtcdStream stream, WatchAnswer answer, CancellationToken cancellation)
    {
        if (_cluster != 0 && answer.Header!.ClusterId != _cluster)
        {
            // Restored from a backup: revisions mean something else, even where they have passed those of before.
            throw new CompactedException(answer.Header.Revision + 1);
        }

        _cluster = answer.Header!.ClusterId;
        if (answer.CompactRevision > 0)
        {
            throw new CompactedException(answer.CompactRevision + 1);
        }

        if (answer.Canceled)
        {
            throw new EtcdFailure(stream.Endpoint, FailureKind.Declined, answer.CancelReason ?? "it has ended the watch");
        }

        if (answer.Created && answer.Header!.Revision < _seen)
        {
            // This member lags behind what another has told; or all have gone back.
            await CheckNotRestoredAsync(cancellation).ConfigureAwait(false);
        }

        (_failingSince, _pause) = (0, FirstPause);
        _seen = Math.Max(_seen, answer.Header!.Revision);
        var events = Take(answer.Events ?? []);
        if (answer is { Created: false, Fragment: false, Events: null or [] })
        {
            // Progress: everything up to here has been told.
            Advance(answer.Header.Revision + 1);
        }
        else if (answer is { Fragment: false, Events: [.., var last] })
        {
            Advance(last.Kv!.ModRevision + 1);
        }

        return events;
    }

    // What was given at the revision where an earlier connection was cut is not given again.
    private List<StoreEvent> Take(EtcdEvent[] changes)
    {
        var events = new List<StoreEvent>(changes.Length);
        foreach (var change in changes)
        {
            if (change.Kv is not { Key: { } bytes, ModRevision: > 0 } entry)
            {
                throw new JsonException("A change without key or revision.");
            }

            var key = EtcdKeys.Text(bytes);
            if (!key.StartsWith(_prefix, StringComparison.Ordinal))
            {
                throw new JsonException("A change of a key that is not watched.");
            }

            if (entry.ModRevision > _next)
            {
                Advance(entry.ModRevision);
            }

            if (entry.ModRevision == _next && _givenAtRevision.Add(key))
            {
                var value = change.Type == "DELETE" ? (ReadOnlyMemory<byte>?)null : entry.Value ?? [];
                events.Add(new StoreEvent(key[options.Prefix.Length..], value, entry.ModRevision));
            }
        }

        return events;
    }

    private void Advance(long next)
    {
        if (next > _next)
        {
            _next = next;
            _givenAtRevision.Clear();
        }
    }

    private async Task CheckNotRestoredAsync(CancellationToken cancellation)
    {
        var now = await EtcdKeys.RevisionAsync(gateway, _prefix, cancellation).ConfigureAwait(false);
        if (now < _seen)
        {
            throw new CompactedException(now + 1);
        }
    }

    private async Task RestAsync(AshlarException error, CancellationToken cancellation)
    {
        if (_stream is { } stream)
        {
            gateway.Avoid(stream.Endpoint);
        }

        End();
        _failingSince = _failingSince == 0 ? options.Time.GetTimestamp() : _failingSince;
        if (options.Time.GetElapsedTime(_failingSince) > options.TotalLimit)
        {
            throw error;
        }

        await Task.Delay(_pause, options.Time, cancellation).ConfigureAwait(false);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private void End()
    {
        _stream?.Dispose();
        _stream = null;
    }
}
