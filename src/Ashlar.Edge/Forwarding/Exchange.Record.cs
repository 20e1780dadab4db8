using System.Buffers;
using System.Diagnostics;
using Ashlar.Edge.Caching;
using Ashlar.Edge.Logging;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>What is written down about the exchange.</summary>
internal sealed partial class Exchange
{
    private static readonly long _ticksPerMicrosecond = Stopwatch.Frequency / 1_000_000;

    private static readonly SearchValues<byte> _hex = SearchValues.Create("0123456789abcdef"u8);

    private long _startedAt;
    private long _requestMs;
    private long _askedAt;
    private long _connectingFrom;
    private long _connected;
    private long _answeredAt;
    private long _waitedFrom;
    private long _waited;
    private Failure _failure;

    private void CountCache()
    {
        var counts = _edge.Scratch.Counts;
        counts[(int)_cacheWord]++;
        var bytes = _cacheWord is CacheWord.Hit or CacheWord.Stale or CacheWord.Collapsed or CacheWord.Revalidated ? _sentToClient : 0;
        counts[CacheScratch.BytesServed] += bytes;
        _edge.Metrics.CacheUsed(_cacheWord, bytes);
    }

    private void Report()
    {
        var now = Stopwatch.GetTimestamp();
        var head = _client.Received!.Slice(_headStart, Request.Consumed);
        var record = new AccessRecord
        {
            StartedUnixMs = _requestMs,
            Client = ClientAddress(head),
            RequestId = _requestId,
            Status = _sentToClient > 0 ? _status : 0,
            BytesIn = head.Length + _requestBody.Bytes,
            BytesOut = _sentToClient,
            DurationMicros = (now - _startedAt) / _ticksPerMicrosecond,
            UpstreamMicros = _askedAt == 0 ? -1 : (now - _askedAt) / _ticksPerMicrosecond,
            ConnectMicros = _connected == 0 ? null : _connected / _ticksPerMicrosecond,
            FirstByteMicros = _answeredAt == 0 || _askedAt == 0 ? null : (_answeredAt - _askedAt) / _ticksPerMicrosecond,
            QueueMicros = _waited / _ticksPerMicrosecond,
            Service = _service?.Name,
            Instance = _asked?.Name,
            Retries = _retries,
            Failure = _failure,
            Cache = _cacheWord,
        };
        if (head.Length > 0)
        {
            record.Method = Request.MethodRange.Of(head);
            record.Host = Request.HostRange.Of(head);
            record.Target = Request.TargetRange.Of(head);
            record.Trace = TraceId(head);
        }

        if (_cacheWord != CacheWord.None)
        {
            CountCache();
        }

        _edge.Log?.Write(in record);
        if (_isCounted)
        {
            _edge.Metrics.RequestEnded(_service!.Series, in record);
        }
        else
        {
            _edge.Metrics.RequestRefused(in record);
        }
    }

    /// <summary>The id in <c>traceparent: 00-ID-SPAN-FLAGS</c>.</summary>
    private ReadOnlySpan<byte> TraceId(ReadOnlySpan<byte> head) =>
        Request.Has(KnownHeader.Traceparent) && Request.Find(KnownHeader.Traceparent).Of(head) is { Length: >= 55 } parent
            && parent[2] == (byte)'-' && parent[35] == (byte)'-' && !parent[3..35].ContainsAnyExcept(_hex)
                ? parent[3..35] : [];
}
