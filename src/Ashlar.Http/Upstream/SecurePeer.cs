using System.Net;
using Ashlar.Http.Transport.Tls;

namespace Ashlar.Http.Upstream;

/// <summary>
/// An endpoint that is spoken to over TLS and must show a certificate for a name. The object is the key of its connections in a
/// pool: make one per peer and keep it.
/// </summary>
/// <param name="name">Name that its certificate must be for.</param>
/// <param name="endPoint">Where it listens.</param>
/// <param name="tls">Who we are and whom we trust.</param>
public sealed class SecurePeer(string name, IPEndPoint endPoint, TlsContext tls)
{
    /// <summary>Name that its certificate must be for.</summary>
    public string Name { get; } = name;

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; } = endPoint;

    /// <summary>Time a connection may take to come about, handshake and all. Default 1 s: it is a neighbour.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time an idle connection is kept. Default 60 s: a handshake costs more than a descriptor.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Time after which a peer that acknowledges nothing counts as gone, also while nothing is sent. Default 5 s: a machine that
    /// loses its power says no goodbye, and a living one acknowledges what comes whatever its programs do.
    /// </summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Told why a handshake failed; called on any loop, must not throw.</summary>
    public Action<string> NotSecured { get; init; } = static _ => { };

    internal TlsContext Tls { get; } = tls;
}
