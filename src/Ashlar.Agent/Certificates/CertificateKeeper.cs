using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Store;
using Ashlar.Edge.Certificates;
using Ashlar.Stack;

namespace Ashlar.Agent.Certificates;

/// <summary>
/// Has every site of the stack have a certificate, and renews each after two thirds of its life. Only the machine that leads does
/// this; what it makes lies in the store, from where all edges get it.
/// </summary>
internal sealed class CertificateKeeper(AgentLoop loop, Supervisor supervisor, IStore store, AcmeOrders acme, Func<bool> leads, AgentLog log, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _changed = new(1, 1);
    private StackDefinition? _last;

    /// <summary>Keeps them until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await loop.AskAsync(() => supervisor.Settled.Add(Settled));
        while (true)
        {
            try
            {
                var stack = await loop.AskAsync(() => supervisor.View.Target.Stack);
                var next = !leads() ? time.GetUtcNow() + BetweenLooks
                    : SiteNames.Of(stack).IsEmpty ? time.GetUtcNow() + LongestPause
                    : await KeepAsync(stack, cancellation);
                await WaitAsync(next - time.GetUtcNow(), cancellation);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !cancellation.IsCancellationRequested)
            {
                log.Warning(LogEvent.Certificate, $"certificates are not looked after: {e.Message}");
                await Task.Delay(Again, time, cancellation);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _changed.Dispose();

    /// <summary>Looks after all sites once.</summary>
    /// <returns>When the next has to be looked after.</returns>
    internal async Task<DateTimeOffset> KeepAsync(StackDefinition stack, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var next = now + LongestPause;
        using var authority = await AuthorityAsync(stack, cancellation);
        foreach (var site in SiteNames.Of(stack))
        {
            var record = await store.GetAsync(Keys.CertificateOf(site.Name), CertificateJson.Default.CertificateRecord, cancellation);
            if (record is null || IsStale(record, site, authority, now))
            {
                record = CertificateRecord.Of(site.Names, authority.Issue(site.Names, now), CertificateRecord.Local);
                await store.PutAsync(Keys.CertificateOf(site.Name), record, CertificateJson.Default.CertificateRecord, cancellation: cancellation);
                log.Info(LogEvent.Certificate, $"{site.Name} has a certificate of {authority.Name} until {record.Until:yyyy-MM-dd}");
            }

            var over = record.IsLocal ? record.DueAt : record.Until;
            next = over < next ? over : next;
        }

        var ordered = await acme.KeepAsync(stack, cancellation);
        return ordered < next ? ordered : next;
    }

    // One of a public authority is replaced by a local one only when it is of no use any more. One of our own that is not good yet was made while
    // the clock was wrong.
    private static bool IsStale(CertificateRecord record, Site site, LocalAuthority authority, DateTimeOffset now)
    {
        if (!record.IsLocal)
        {
            return record.Until <= now;
        }

        using var certificate = X509Certificate2.CreateFromPem(record.Pem);
        return record.DueAt <= now || record.From > now || !record.Names.SequenceEqual(site.Names) || !authority.HasSigned(certificate);
    }

    private async Task<LocalAuthority> AuthorityAsync(StackDefinition stack, CancellationToken cancellation)
    {
        while (true)
        {
            var entry = await store.GetAsync(Keys.LocalAuthority, cancellation);
            if (entry is not null)
            {
                var known = LocalAuthority.Import(Encoding.ASCII.GetString(entry.Value.Span));
                if (known.CanIssueAt(time.GetUtcNow()))
                {
                    return known;
                }

                log.Warning(LogEvent.Certificate, $"{known.Name} is good from {known.From:yyyy-MM-dd} to {known.Until:yyyy-MM-dd}: another is made, to be trusted anew (ashlar certificates trust)");
                known.Dispose();
            }

            using var made = LocalAuthority.Create(stack.Name, time.GetUtcNow());
            await store.CommitAsync(
                new StoreTransaction(
                    [new StoreCondition(Keys.LocalAuthority, entry?.ModRevision ?? 0)], [new StoreWrite(Keys.LocalAuthority, Encoding.ASCII.GetBytes(made.ExportPem()))]),
                cancellation);
        }
    }

    private void Settled()
    {
        var stack = supervisor.View.Target.Stack;
        if (!ReferenceEquals(stack, _last) && _changed.CurrentCount == 0)
        {
            _changed.Release();
        }

        _last = stack;
    }

    private async Task WaitAsync(TimeSpan patience, CancellationToken cancellation) =>
        await _changed.WaitAsync(patience < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : patience > LongestPause ? LongestPause : patience, cancellation);
}
