using Ashlar.Edge.Web;
using Ashlar.Http.Upstream;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>Limits and times of the data plane. The defaults are meant for production.</summary>
public sealed record ForwardingOptions
{
    /// <summary>Loops, and threads. Default: one per core.</summary>
    public int Loops { get; init; } = Environment.ProcessorCount;

    /// <summary>What a message may cost.</summary>
    public HttpLimits Limits { get; init; } = HttpLimits.Default;

    /// <summary>How connections to instances are made and kept.</summary>
    public UpstreamOptions Upstream { get; init; } = new();

    /// <summary>Largest request body in bytes; beyond it the answer is 413. Default: no limit, because nothing is held in memory.</summary>
    public long MaxRequestBody { get; init; } = long.MaxValue;

    /// <summary>Largest request body of unknown length, in bytes, for a script, which must be told it; beyond it the answer is 413. Default 128 MiB.</summary>
    public long MaxSpooledBody { get; init; } = 128 << 20;

    /// <summary>Memory that all bodies of unknown length for scripts may take together, in bytes; beyond it the answer is 503. Default 64 MiB.</summary>
    public long MaxSpoolMemory { get; init; } = 64 << 20;

    /// <summary>What they may take together in the temporary folder, in bytes; beyond it the answer is 503. Default 1 GiB.</summary>
    public long MaxSpoolFiles { get; init; } = 1 << 30;

    /// <summary>
    /// Client connections of this process. At the limit the one that has been idle longest gives way to a new one. Default:
    /// a third of the descriptors the process may have, at most 100,000.
    /// </summary>
    public int MaxConnections { get; init; } = DescriptorLimit.ForConnections();

    /// <summary>Time a TLS handshake may take. Default 10 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time a request's head may take from its first byte; then 408. Default 30 s.</summary>
    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time without a byte of a request's body that is awaited; then 408. Default 30 s.</summary>
    public TimeSpan RequestBodyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes per second of a request's body, on average over each <see cref="RequestBodyTimeout"/> in which it is awaited; else 408. Default 240.</summary>
    public int MinRequestBodyRate { get; init; } = 240;

    /// <summary>Time an instance may take to begin its answer; then 504. Default 60 s.</summary>
    public TimeSpan ResponseHeadTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Time without a byte of an answer that has begun; then it is broken off. Default 120 s.</summary>
    public TimeSpan ResponseBodyTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Time a client may take nothing of an answer that waits for it; then it is broken off. Default 60 s.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Time a tunnel (WebSocket) or an event stream may be silent. Default 1 h.</summary>
    public TimeSpan TunnelTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Time a connection may be idle between requests, or before its first. Default 75 s.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>Time that the edge's own look for a file, or the check of a password, may take; then 503. Default 30 s.</summary>
    public TimeSpan LookTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time that an answer may still take to begin once the client has closed its direction: a client may half-close and
    /// wait, but one that has left looks the same until something is sent to it. Default 1 s.
    /// </summary>
    public TimeSpan HalfClosedTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>While draining: time that an idle connection is still listened to before it is closed. Default 1.5 s.</summary>
    public TimeSpan DrainIdleWindow { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Most instances that are tried for one request. Default 4.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>Says if a password has a hash.</summary>
    internal Func<byte[], string, bool> PasswordMatches { get; init; } = Passwords.Matches;
}
