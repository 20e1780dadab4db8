using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Edge.Certificates;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Certificates;

/// <summary>
/// The certificates as this machine has them: follows the store, lays each down as a file for the edge, and says what the edge is to
/// know. Read on the agent's loop.
/// </summary>
internal sealed class CertificateShelf(AgentLoop loop, IStore store, StateFolder state, SystemUser? user, AgentLog log, TimeProvider time)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan OldFiles = TimeSpan.FromDays(1);
    private readonly string _folder = EdgeCertificates.FolderIn(state.Path);
    private Shelf _shelf = Shelf.Empty;

    /// <summary>Follows the store until cancelled; where it does not answer, what was known holds.</summary>
    public async Task FollowAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                var range = await store.ListAsync(Keys.Certificates, cancellation);
                var shelf = Shelf.Read(range.Entries);
                LayDown(shelf);
                loop.Post(() => _shelf = shelf);
                await ChangeAsync(range.Revision + 1, cancellation);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !cancellation.IsCancellationRequested)
            {
                log.Warning(LogEvent.Certificate, $"certificates are not read: {e.Message}");
                await Task.Delay(Again, time, cancellation);
            }
        }
    }

    /// <summary>What the edge is to know.</summary>
    public CatalogTls For(StackDefinition stack)
    {
        var sites = SiteNames.Of(stack);
        var shelf = _shelf;
        var now = time.GetUtcNow();
        var shown = sites.Select(site => (Site: site, Record: shelf.Certificates.GetValueOrDefault(site.Name))).Where(s => s.Record is not null).ToArray();
        return new CatalogTls
        {
            Certificates = [.. shown.Select(s => new CatalogCertificate(s.Record!.File, s.Record.Names))],
            Redirected = !stack.Edge.Tls.Redirect ? []
                : [.. shown.Where(s => !s.Site.Names.Contains("127.0.0.1") && IsProper(s.Site, s.Record!, stack) && s.Record!.Until > now).Select(s => s.Site.Name)],
            Canonical = stack.Edge.Canonical,
            HstsSeconds = (long)stack.Edge.Tls.Hsts.TotalSeconds,
            Challenges = [.. shelf.Challenges.Select(c => new CatalogChallenge(c.Key, c.Value))],
        };
    }

    /// <summary>The sites' certificates for people.</summary>
    public CertificatesResult Report(StackDefinition stack)
    {
        var now = time.GetUtcNow();
        var lines = SiteNames.Of(stack).Select(site =>
        {
            var record = _shelf.Certificates.GetValueOrDefault(site.Name);
            var trouble = _shelf.Troubles.GetValueOrDefault(site.Name);
            var status = record is null ? CertificateStates.Missing
                : record.Until <= now ? CertificateStates.Expired
                : !IsProper(site, record, stack) ? trouble is null ? CertificateStates.Ordered : CertificateStates.Waiting
                : trouble is not null ? CertificateStates.Due
                : CertificateStates.Good;
            return new CertificateLine(site.Name, record?.Issuer ?? "", record?.Until, status)
            {
                Names = site.Names,
                Trouble = trouble?.Error,
                NextTry = trouble?.NextTry,
            };
        });
        return new CertificatesResult([.. lines]) { Authority = _shelf.AuthorityPem };
    }

    /// <summary>What is to be known of them in the stack's status.</summary>
    public IEnumerable<string> Notes(StackDefinition stack)
    {
        foreach (var line in Report(stack).Certificates)
        {
            if (line.Trouble is { } trouble)
            {
                var left = line.State == CertificateStates.Due && line.Until is { } until ? $" (good until {until.UtcDateTime:yyyy-MM-dd HH:mm} UTC)" : "";
                yield return $"certificate of {line.Name}{left}: {trouble.Message} {trouble.NextStep}";
            }
            else if (line.State == CertificateStates.Expired)
            {
                yield return $"the certificate of {line.Name} has expired: ashlar certificates";
            }
        }
    }

    // A public site whose authority has not issued yet makes do with a local one.
    private static bool IsProper(Site site, CertificateRecord record, StackDefinition stack) =>
        !record.IsLocal || !site.IsPublic || stack.Edge.Tls.Authority is null;

    private async Task ChangeAsync(long from, CancellationToken cancellation)
    {
        try
        {
            await foreach (var _ in store.WatchAsync(Keys.Certificates, from, cancellation))
            {
                return;
            }
        }
        catch (CompactedException)
        {
            // Listed again, which is all that is needed.
        }
    }

    private void LayDown(Shelf shelf)
    {
        const UnixFileMode mine = OwnerOnly | UnixFileMode.UserExecute;
        if (shelf.Certificates.IsEmpty)
        {
            return;
        }

        if (!Directory.Exists(_folder))
        {
            Directory.CreateDirectory(_folder, mine);
            Give(_folder);
        }

        var files = shelf.Certificates.Values.ToDictionary(record => record.File, record => record.Pem);
        foreach (var (file, pem) in files.Where(f => !Holds(Path.Combine(_folder, f.Key), f.Value)))
        {
            var path = Path.Combine(_folder, file);
            var temporary = path + ".tmp";
            File.Delete(temporary);
            using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                stream.Write(Encoding.ASCII.GetBytes(pem));
            }

            Give(temporary);
            File.Move(temporary, path, overwrite: true);
        }

        // An edge that starts without an agent may still want one of lately.
        foreach (var old in new DirectoryInfo(_folder).EnumerateFiles().Where(f => !files.ContainsKey(f.Name) && f.LastWriteTimeUtc < time.GetUtcNow().UtcDateTime - OldFiles))
        {
            old.Delete();
        }
    }

    // A power cut leaves a file by its name and without its content.
    private static bool Holds(string path, string pem) => File.Exists(path) && File.ReadAllText(path) == pem;

    private void Give(string path)
    {
        if (user is not null && SystemUsers.IsRoot)
        {
            Ownership.Give(path, user);
        }
    }

    private sealed record Shelf(
        ImmutableSortedDictionary<string, CertificateRecord> Certificates, ImmutableSortedDictionary<string, CertificateTrouble> Troubles,
        ImmutableSortedDictionary<string, string> Challenges, string AuthorityPem)
    {
        public static Shelf Empty { get; } = new(
            ImmutableSortedDictionary<string, CertificateRecord>.Empty, ImmutableSortedDictionary<string, CertificateTrouble>.Empty,
            ImmutableSortedDictionary<string, string>.Empty, "");

        public static Shelf Read(IEnumerable<StoreEntry> entries)
        {
            var shelf = Empty;
            foreach (var entry in entries)
            {
                var text = entry.Value.Span;
                shelf = entry.Key switch
                {
                    _ when After(entry.Key, Keys.CertificateOf("")) is { } name =>
                        shelf with { Certificates = shelf.Certificates.SetItem(name, JsonSerializer.Deserialize(text, CertificateJson.Default.CertificateRecord)!) },
                    _ when After(entry.Key, Keys.CertificateTrouble("")) is { } name =>
                        shelf with { Troubles = shelf.Troubles.SetItem(name, JsonSerializer.Deserialize(text, CertificateJson.Default.CertificateTrouble)!) },
                    _ when After(entry.Key, Keys.AcmeChallenge("")) is { } token =>
                        shelf with { Challenges = shelf.Challenges.SetItem(token, Encoding.ASCII.GetString(text)) },
                    Keys.LocalAuthority => shelf with { AuthorityPem = CertificateIn(Encoding.ASCII.GetString(text)) },
                    _ => shelf,
                };
            }

            return shelf;
        }

        private static string? After(string key, string prefix) => key.StartsWith(prefix, StringComparison.Ordinal) ? key[prefix.Length..] : null;

        // The key beside it stays in the store.
        private static string CertificateIn(string pem)
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            return certificate.ExportCertificatePem();
        }
    }
}
