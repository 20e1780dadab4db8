using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Store;
using Ashlar.Edge.Certificates;
using Ashlar.Edge.Certificates.Acme;
using Ashlar.Errors;
using Ashlar.Stack;

namespace Ashlar.Agent.Certificates;

/// <summary>
/// Certificates of a public authority: ordered where a local one serves, renewed after two thirds of their life. What fails is tried again ever
/// more seldom, because authorities count failures, and not before the authority allows.
/// </summary>
internal sealed class AcmeOrders(IStore store, ChallengeBoard board, AgentLog log, TimeProvider time)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(7);
    private static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(20), TimeSpan.FromHours(1), TimeSpan.FromHours(3), TimeSpan.FromHours(6), TimeSpan.FromHours(12),
    ];

    /// <summary>Orders what is due first: one at a time, so that an authority that is slow or silent holds up nothing else.</summary>
    /// <returns>When the next is due.</returns>
    public async Task<DateTimeOffset> KeepAsync(StackDefinition stack, CancellationToken cancellation)
    {
        var next = DateTimeOffset.MaxValue;
        if (stack.Edge.Tls.Authority is not { } directory)
        {
            return next;
        }

        var issuer = new Uri(directory).Authority;
        var isOrdered = false;
        await board.ClearAsync(cancellation);
        foreach (var site in SiteNames.Of(stack).Where(site => site.IsPublic))
        {
            var record = await store.GetAsync(Keys.CertificateOf(site.Name), CertificateJson.Default.CertificateRecord, cancellation);
            var due = record is null || record.IsLocal || record.Issuer != issuer ? DateTimeOffset.MinValue : record.DueAt;
            var trouble = await store.GetAsync(Keys.CertificateTrouble(site.Name), CertificateJson.Default.CertificateTrouble, cancellation);
            trouble = trouble?.Issuer == issuer ? trouble : null;
            due = trouble is not null && trouble.NextTry > due ? trouble.NextTry : due;
            if (due <= time.GetUtcNow() && !isOrdered)
            {
                due = await OrderAsync(stack, site, directory, issuer, trouble, cancellation);
                isOrdered = true;
            }

            next = due < next ? due : next;
        }

        return next;
    }

    private async Task<DateTimeOffset> OrderAsync(
        StackDefinition stack, Site site, string directory, string issuer, CertificateTrouble? before, CancellationToken cancellation)
    {
        try
        {
            log.Info(LogEvent.Certificate, $"{site.Name}: a certificate is ordered from {issuer}");
            var record = CertificateRecord.Of(site.Names, await IssueAsync(stack, site, directory, cancellation), issuer);
            await store.CommitAsync(
                new StoreTransaction([],
                [
                    StoreExtensions.Put(Keys.CertificateOf(site.Name), record, CertificateJson.Default.CertificateRecord),
                    new StoreWrite(Keys.CertificateTrouble(site.Name), null),
                ]),
                cancellation);
            log.Info(LogEvent.Certificate, $"{site.Name} has a certificate of {issuer} until {record.Until:yyyy-MM-dd}");
            return record.DueAt;
        }
        catch (AcmeException e)
        {
            var failures = (before?.Failures ?? 0) + 1;
            var wait = Waits[Math.Min(failures, Waits.Length) - 1];
            wait = e.RetryAfter is { } asked && asked > wait ? asked : wait;
            var trouble = new CertificateTrouble(failures, time.GetUtcNow() + (wait < LongestWait ? wait : LongestWait), e.Error) { Issuer = issuer };
            log.Warning(LogEvent.Certificate, $"{site.Name}: {e.Error} Tried again {trouble.NextTry:u}.");
            await store.PutAsync(Keys.CertificateTrouble(site.Name), trouble, CertificateJson.Default.CertificateTrouble, cancellation: cancellation);
            return trouble.NextTry;
        }
    }

    private X509Certificate2Collection? Trusted(StackDefinition stack)
    {
        try
        {
            return stack.Edge.Tls.AuthorityCa is { } path ? AuthorityCa.Read(Path.GetFullPath(path, stack.Directory), time.GetUtcNow()) : null;
        }
        catch (AshlarException e)
        {
            throw new AcmeException(e.Error, null);
        }
    }

    private async Task<string> IssueAsync(StackDefinition stack, Site site, string directory, CancellationToken cancellation)
    {
        var key = Keys.AcmeAccount(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(directory))));
        var account = await store.GetAsync(key, CertificateJson.Default.AcmeAccountRecord, cancellation);
        if (account is null)
        {
            // Kept before it is shown to anybody: an account whose key is lost cannot be used again.
            using var made = AcmeAccountKey.Create();
            account = new AcmeAccountRecord(directory, made.ExportPem(), null);
            await store.PutAsync(key, account, CertificateJson.Default.AcmeAccountRecord, cancellation: cancellation);
        }

        var trusted = Trusted(stack);
        using var signer = AcmeAccountKey.Import(account.KeyPem);
        using var client = new AcmeClient(directory, signer, account.Url, trusted, time);
        try
        {
            return await client.IssueAsync(site.Name, stack.Edge.Tls.Email, (token, answer) => board.PostAsync(stack, site.Name, token, answer, cancellation), cancellation);
        }
        catch (AcmeException e) when (e.Type == "accountDoesNotExist")
        {
            // An authority that has begun anew: the key makes an account there with the next try.
            await store.PutAsync(key, account with { Url = null }, CertificateJson.Default.AcmeAccountRecord, cancellation: cancellation);
            throw;
        }
        finally
        {
            if (client.Account is { } url && url != account.Url)
            {
                await store.PutAsync(key, account with { Url = url }, CertificateJson.Default.AcmeAccountRecord, cancellation: cancellation);
            }
        }
    }
}
