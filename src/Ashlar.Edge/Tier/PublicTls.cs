using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Edge.Certificates;
using Ashlar.Errors;
using Ashlar.Http.Transport.Tls;

namespace Ashlar.Edge.Tier;

/// <summary>The certificates that the edge shows to everybody: follows what the agent has laid down.</summary>
internal sealed class PublicTls : IDisposable
{
    private static readonly TimeSpan _betweenKeys = TimeSpan.FromHours(8);

    private readonly string _folder;
    private readonly TierLog _log;
    private readonly Timer _keys;
    private TlsFront? _front;
    private CatalogTls _applied = new();
    private ImmutableArray<AshlarError> _unusable = [];

    /// <param name="state">The stack's state folder.</param>
    /// <param name="log">Told of what cannot be used.</param>
    public PublicTls(string state, TierLog log)
    {
        (_folder, _log) = (EdgeCertificates.FolderIn(state), log);
        _keys = new Timer(_ => _front?.RenewTicketKeys(), null, _betweenKeys, _betweenKeys);
    }

    /// <summary>What listeners accept with; null while there is no certificate.</summary>
    public TlsFront? Front => _front is { HasCertificate: true } ? _front : null;

    /// <summary>Shows what the snapshot lists from now on.</summary>
    public void Follow(CatalogSnapshot snapshot)
    {
        // What cannot be used is tried with each snapshot, and told once.
        if (_unusable.IsEmpty && snapshot.Tls.Certificates.SequenceEqual(_applied.Certificates, SameFile.Instance))
        {
            return;
        }

        try
        {
            _front ??= new TlsFront(offersHttp2: true);
            var unusable = _front.Use(snapshot.Tls.Certificates.Select(c => new TlsCertificate(Path.Combine(_folder, c.File), c.Names)));
            foreach (var error in unusable.Except(_unusable))
            {
                _log.Say(error);
            }

            _unusable = unusable;
            _applied = snapshot.Tls;
        }
        catch (AshlarException e)
        {
            _log.Say(e.Error);
        }
    }

    public void Dispose()
    {
        _keys.Dispose();
        _front?.Dispose();
    }

    private sealed class SameFile : IEqualityComparer<CatalogCertificate>
    {
        public static SameFile Instance { get; } = new();

        public bool Equals(CatalogCertificate? x, CatalogCertificate? y) => x?.File == y?.File && x is not null && x.Names.SequenceEqual(y!.Names);

        public int GetHashCode(CatalogCertificate obj) => obj.File.GetHashCode(StringComparison.Ordinal);
    }
}
