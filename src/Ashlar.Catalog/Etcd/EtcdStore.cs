using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Catalog.Store;

namespace Ashlar.Catalog.Etcd;

/// <summary>
/// The store of many machines: an etcd cluster, asked through its JSON gateway. Every read is linearizable: it has the word of a majority, or
/// fails (ASH4071) and is never an old one. A change that was sent and not answered is ASH4072, never repeated by itself. Leases count whole
/// seconds by etcd's monotonic clock, one at least, and a change of etcd's leader gives each its whole length again. Opening asks nothing.
/// </summary>
public sealed class EtcdStore : IStore
{
    // With the largest values a page is 64 MiB; with usual ones a list is a page.
    private const int PageLength = 64;
    private readonly EtcdOptions _options;
    private readonly EtcdGateway _gateway;
    private readonly CancellationTokenSource _closing = new();
    private ulong _listed;
    private bool _disposed;

    /// <summary>A store under the options' prefix.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public EtcdStore(EtcdOptions options)
    {
        _gateway = new EtcdGateway(options);
        _options = options;
    }

    /// <summary>The addresses and the prefix, for people.</summary>
    public override string ToString() => $"etcd {string.Join(", ", _options.Endpoints.Select(endpoint => endpoint.Authority))} /{_options.Prefix}";

    /// <summary>Asks these members from now on, the first of them first. Watches go on there, where they stood.</summary>
    /// <exception cref="ArgumentException">There is none, or one is no address of a member.</exception>
    public void UseEndpoints(ImmutableArray<Uri> endpoints) => _gateway.UseEndpoints(endpoints);

    /// <inheritdoc />
    public async ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default)
    {
        StoreLimits.CheckKey(key);
        return (await RangeAsync(new RangeRequest(EtcdKeys.Bytes(_options.Prefix + key)), cancellation).ConfigureAwait(false)).Kvs is [var entry, ..]
            ? Entry(entry)
            : null;
    }

    /// <inheritdoc />
    public async ValueTask<StoreRange> ListAsync(string prefix, CancellationToken cancellation = default)
    {
        StoreLimits.CheckPrefix(prefix);
        while (true)
        {
            try
            {
                return await ListOnceAsync(_options.Prefix + prefix, cancellation).ConfigureAwait(false);
            }
            catch (CompactedException)
            {
                // Compacted between two pages: what is current is listed instead.
            }
        }
    }

    /// <inheritdoc />
    public async ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default)
    {
        StoreLimits.Check(transaction);
        var request = new TransactionRequest([.. transaction.Conditions.SelectMany(Compare)], [.. transaction.Writes.Select(Write)]);
        try
        {
            // What writes nothing can be asked again; nothing else can.
            var answer = await AskAsync(
                "kv/txn", request, EtcdMessages.Default.TransactionRequest, EtcdMessages.Default.TransactionAnswer,
                repeatable: transaction.Writes.IsEmpty, cancellation).ConfigureAwait(false);
            return new CommitResult(answer.Succeeded, answer.Header!.Revision);
        }
        catch (EtcdRefusalException e)
        {
            throw EtcdRefusals.IsLeaseGone(e)
                ? new LeaseLostException(transaction.Writes.First(write => write.Lease != 0).Lease)
                : EtcdRefusals.Translate(e);
        }
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<StoreEvent> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        StoreLimits.CheckPrefix(prefix);
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var watch = new EtcdWatch(_gateway, _options, prefix, fromRevision, Volatile.Read(ref _listed));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closing.Token);
        while (true)
        {
            IReadOnlyList<StoreEvent> events;
            try
            {
                events = await watch.NextAsync(limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (_disposed && !cancellation.IsCancellationRequested && e is not CompactedException)
            {
                throw new ObjectDisposedException("The store was closed.", e);
            }

            foreach (var change in events)
            {
                yield return change;
            }
        }
    }

    /// <inheritdoc />
    public async ValueTask<long> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(timeToLive, TimeSpan.FromDays(30));

        // The number is ours, so that asking again does not grant another.
        var lease = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue | 1;
        try
        {
            await AskAsync(
                "lease/grant", new LeaseRequest(lease, (long)Math.Ceiling(timeToLive.TotalSeconds)),
                EtcdMessages.Default.LeaseRequest, EtcdMessages.Default.LeaseAnswer, repeatable: true, cancellation).ConfigureAwait(false);
        }
        catch (EtcdRefusalException e)
        {
            if (!EtcdRefusals.IsLeaseThere(e))
            {
                throw EtcdRefusals.Translate(e);
            }
        }

        return lease;
    }

    /// <inheritdoc />
    public async ValueTask<bool> KeepAliveAsync(long lease, CancellationToken cancellation = default)
    {
        try
        {
            var answer = await AskAsync(
                "lease/keepalive", new LeaseRequest(lease), EtcdMessages.Default.LeaseRequest, EtcdMessages.Default.LeaseStreamAnswer,
                repeatable: true, cancellation).ConfigureAwait(false);

            // A dead lease is answered 200 as well, and without time to live.
            return answer.Result!.TimeToLive > 0;
        }
        catch (EtcdRefusalException e)
        {
            return EtcdRefusals.IsLeaseGone(e) ? false : throw EtcdRefusals.Translate(e);
        }
    }

    /// <inheritdoc />
    public async ValueTask RevokeLeaseAsync(long lease, CancellationToken cancellation = default)
    {
        try
        {
            await AskAsync(
                "lease/revoke", new LeaseRequest(lease), EtcdMessages.Default.LeaseRequest, EtcdMessages.Default.HeaderAnswer,
                repeatable: true, cancellation).ConfigureAwait(false);
        }
        catch (EtcdRefusalException e)
        {
            if (!EtcdRefusals.IsLeaseGone(e))
            {
                throw EtcdRefusals.Translate(e);
            }
        }
    }

    /// <inheritdoc />
    public ValueTask<Leadership> CampaignAsync(string election, string candidate, long lease, CancellationToken cancellation = default) =>
        Election.CampaignAsync(this, election, candidate, lease, cancellation);

    /// <inheritdoc />
    public async ValueTask CompactAsync(long revision, CancellationToken cancellation = default)
    {
        // One less: at the revision that etcd is told, it keeps entries and forgets deletions.
        if (revision <= 1)
        {
            return;
        }

        try
        {
            await AskAsync(
                "kv/compaction", new CompactionRequest(revision - 1), EtcdMessages.Default.CompactionRequest, EtcdMessages.Default.HeaderAnswer,
                repeatable: true, cancellation).ConfigureAwait(false);
        }
        catch (EtcdRefusalException e)
        {
            if (EtcdRefusals.IsFuture(e))
            {
                throw new ArgumentOutOfRangeException(nameof(revision), revision, "It is not there yet.");
            }

            if (!EtcdRefusals.IsCompacted(e))
            {
                throw EtcdRefusals.Translate(e);
            }
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _closing.CancelAsync().ConfigureAwait(false);
        _gateway.Dispose();
        _closing.Dispose();
    }

    private async ValueTask<StoreRange> ListOnceAsync(string prefix, CancellationToken cancellation)
    {
        var entries = ImmutableArray.CreateBuilder<StoreEntry>();
        var (from, end, revision) = (EtcdKeys.Bytes(prefix.Length > 0 ? prefix : "!"), EtcdKeys.End(prefix), 0L);
        while (true)
        {
            var page = await RangeAsync(new RangeRequest(from, end, PageLength, revision), cancellation).ConfigureAwait(false);
            revision = revision == 0 ? page.Header!.Revision : revision;
            Volatile.Write(ref _listed, page.Header!.ClusterId);
            entries.AddRange((page.Kvs ?? []).Select(Entry));
            if (!page.More || page.Kvs is not [.., var last])
            {
                return new StoreRange(entries.ToImmutable(), revision);
            }

            // The least key above the last one: that key and a zero byte.
            from = [.. last.Key!, 0];
        }
    }

    private async ValueTask<RangeAnswer> RangeAsync(RangeRequest request, CancellationToken cancellation)
    {
        try
        {
            return await AskAsync(
                "kv/range", request, EtcdMessages.Default.RangeRequest, EtcdMessages.Default.RangeAnswer, repeatable: true, cancellation).ConfigureAwait(false);
        }
        catch (EtcdRefusalException e)
        {
            throw EtcdRefusals.IsCompacted(e) ? new CompactedException(request.Revision + 1) : EtcdRefusals.Translate(e);
        }
    }

    private ValueTask<TAnswer> AskAsync<TQuestion, TAnswer>(
        string path, TQuestion question, JsonTypeInfo<TQuestion> questionType, JsonTypeInfo<TAnswer> answerType, bool repeatable,
        CancellationToken cancellation)
        where TAnswer : class, IEtcdAnswer
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _gateway.AskAsync(path, question, questionType, answerType, repeatable, cancellation);
    }

    private IEnumerable<Comparison> Compare(StoreCondition condition)
    {
        var key = EtcdKeys.Bytes(_options.Prefix + condition.Key);
        if (condition.ModRevision is { } changed)
        {
            yield return new Comparison(key, "MOD", ModRevision: changed);
        }

        if (condition.CreateRevision is { } created)
        {
            yield return new Comparison(key, "CREATE", CreateRevision: created);
        }
    }

    private Operation Write(StoreWrite write)
    {
        var key = EtcdKeys.Bytes(_options.Prefix + write.Key);
        return write.Value is { } value
            ? new Operation(RequestPut: new PutRequest(key, value.ToArray(), write.Lease))
            : new Operation(RequestDeleteRange: new DeleteRequest(key));
    }

    private StoreEntry Entry(EtcdKeyValue entry) => new(
        EtcdKeys.Text(entry.Key!)[_options.Prefix.Length..], entry.Value ?? [], entry.CreateRevision, entry.ModRevision, entry.Lease);
}
