using Ashlar.Edge.Caching;

namespace Ashlar.Edge.Logging;

/// <summary>One finished request, as the access log and the metrics see it. The spans are only read during the call.</summary>
public ref struct AccessRecord
{
    /// <summary>When its first byte came, in milliseconds since 1970.</summary>
    public long StartedUnixMs { get; set; }

    /// <summary>The client's address as text.</summary>
    public ReadOnlySpan<byte> Client { get; set; }

    /// <summary>Method as received; empty if it could not be read.</summary>
    public ReadOnlySpan<byte> Method { get; set; }

    /// <summary>Host as received.</summary>
    public ReadOnlySpan<byte> Host { get; set; }

    /// <summary>Target as received, with its query.</summary>
    public ReadOnlySpan<byte> Target { get; set; }

    /// <summary>The request's id.</summary>
    public ReadOnlySpan<byte> RequestId { get; set; }

    /// <summary>Status sent to the client; 0 if none was.</summary>
    public int Status { get; set; }

    /// <summary>Bytes received of this request, head and body.</summary>
    public long BytesIn { get; set; }

    /// <summary>Bytes sent for it, head and body.</summary>
    public long BytesOut { get; set; }

    /// <summary>From the first byte received to the last byte sent, in microseconds.</summary>
    public long DurationMicros { get; set; }

    /// <summary>From the request's start towards the instance to the end of its answer, in microseconds; -1 if it was not asked.</summary>
    public long UpstreamMicros { get; set; }

    /// <summary>Making a connection to the instance, in microseconds; null if a kept one was taken, or none.</summary>
    public long? ConnectMicros { get; set; }

    /// <summary>From the request's start towards the instance until the head of its answer was there, in microseconds; null if none came.</summary>
    public long? FirstByteMicros { get; set; }

    /// <summary>Id of the trace that the request is part of, 32 hexadecimal digits (W3C Trace Context, section 3.2.2.3); empty: it says none.</summary>
    public ReadOnlySpan<byte> Trace { get; set; }

    /// <summary>Time in the waiting room, in microseconds.</summary>
    public long QueueMicros { get; set; }

    /// <summary>Service it was for; null if no route matched.</summary>
    public string? Service { get; set; }

    /// <summary>Name of the instance that answered, or was asked last; null if none was.</summary>
    public string? Instance { get; set; }

    /// <summary>Attempts beyond the first.</summary>
    public int Retries { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public Failure Failure { get; set; }

    /// <summary>What the cache did for it.</summary>
    internal CacheWord Cache { get; set; }
}
