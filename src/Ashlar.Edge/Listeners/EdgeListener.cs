using System.Text;
using Ashlar.Http.Transport.Tls;

namespace Ashlar.Edge;

/// <summary>A listening socket that was handed to the edge.</summary>
/// <param name="Name">Unique in the stack: <c>http</c>, or <c>service:api</c>.</param>
/// <param name="Descriptor">The socket: bound and listening. It is watched, never closed or shut down: other processes share it.</param>
/// <param name="Port">The TCP port it listens on.</param>
/// <param name="Service">The service all its requests go to; null: routes decide.</param>
public sealed record EdgeListener(string Name, int Descriptor, int Port, string? Service)
{
    /// <summary>TLS that its clients must speak; null: none.</summary>
    public TlsAcceptor? Tls { get; init; }

    /// <summary>True: it is for everybody, over TLS with the certificates of the stack's hosts.</summary>
    public bool IsSecure { get; init; }

    /// <summary>True: it is for the stack's other machines alone, and <see cref="Tls"/> tells who they are.</summary>
    public bool IsHop { get; init; }

    /// <summary>Engine's instance on another machine to which all bytes go; null: it speaks HTTP.</summary>
    public string? Forward { get; init; }

    /// <summary>The host of an HTTP/1.0 request that names none.</summary>
    internal byte[] DefaultHost { get; } = Encoding.ASCII.GetBytes($"localhost:{Port}");
}
