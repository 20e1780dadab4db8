using Ashlar.Errors;
using Microsoft.Data.Sqlite;

namespace Ashlar.Catalog.Store;

/// <content>Leases: their time is counted here, from the last renewal or the opening of the file.</content>
public sealed partial class SqliteStore
{
    /// <inheritdoc />
    public ValueTask<long> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(timeToLive, TimeSpan.FromDays(30));
        return LockedAsync(
            () =>
            {
                const string sql = "INSERT INTO lease(milliseconds) VALUES($length) RETURNING id";
                var id = (long)Command(sql, ("$length", (long)Math.Ceiling(timeToLive.TotalMilliseconds))).ExecuteScalar()!;
                Renew(id, timeToLive);
                return id;
            },
            cancellation);
    }

    /// <inheritdoc />
    public ValueTask<bool> KeepAliveAsync(long lease, CancellationToken cancellation = default) =>
        LockedAsync(
            () =>
            {
                if (!_leases.TryGetValue(lease, out var held))
                {
                    return false;
                }

                Renew(lease, held.Length);
                return true;
            },
            cancellation);

    /// <inheritdoc />
    public async ValueTask RevokeLeaseAsync(long lease, CancellationToken cancellation = default) =>
        await LockedAsync(
            () =>
            {
                if (_leases.ContainsKey(lease))
                {
                    End([lease]);
                }

                return true;
            },
            cancellation).ConfigureAwait(false);

    private void Renew(long lease, TimeSpan length)
    {
        _leases[lease] = new Lease(length, _time.GetTimestamp());
        Schedule();
    }

    private void End(IReadOnlyList<long> leases)
    {
        var keys = new List<StoreWrite>();
        foreach (var lease in leases)
        {
            using var reader = Command("SELECT key FROM entry WHERE lease = $lease AND lease <> 0 ORDER BY key", ("$lease", lease)).ExecuteReader();
            while (reader.Read())
            {
                keys.Add(new StoreWrite(reader.GetString(0), null));
            }
        }

        Write(keys, leases);
        foreach (var lease in leases)
        {
            _leases.Remove(lease);
        }
    }

    private void EndDueLeases()
    {
        var due = _leases.Where(pair => Remaining(pair.Value) <= TimeSpan.Zero).Select(pair => pair.Key).Order().ToArray();
        if (due.Length == 0)
        {
            return;
        }

        try
        {
            End(due);
            Schedule();
        }
        catch (SqliteException)
        {
            // The disk is full or broken: what can be read is read; the leases live on until they can be ended.
            _expiry.Change(RetryExpiry, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task ExpireAsync()
    {
        try
        {
            await LockedAsync(
                () =>
                {
                    Schedule();
                    return true;
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ObjectDisposedException or AshlarException)
        {
            // The store was closed in between; or it fails, which the next caller is told.
        }
    }

    private void Schedule()
    {
        if (_leases.Count > 0 && _leases.Values.Min(Remaining) is var next && next > TimeSpan.Zero)
        {
            _expiry.Change(next, Timeout.InfiniteTimeSpan);
        }
    }

    private TimeSpan Remaining(Lease lease) => lease.Length - _time.GetElapsedTime(lease.Since);

    private sealed record Lease(TimeSpan Length, long Since);
}
