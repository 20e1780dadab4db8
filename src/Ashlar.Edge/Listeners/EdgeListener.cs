using System.Text;

namespace Ashlar.Edge;

/// <summary>A listening socket that was handed to the edge.</summary>
/// <param name="Name">Unique in the stack: <c>http</c>, or <c>service:api</c>.</param>
/// <param name="Descriptor">The socket: bound and listening. It is watched, never closed or shut down: other processes share it.</param>
/// <param name="Port">The TCP port it listens on.</param>
/// <param name="Service">The service all its requests go to; null: routes decide.</param>
public sealed record EdgeListener(string Name, int Descriptor, int Port, string? Service)
{
    /// <summary>The host of an HTTP/1.0 request that names none.</summary>
    internal byte[] DefaultHost { get; } = Encoding.ASCII.GetBytes($"localhost:{Port}");
}
