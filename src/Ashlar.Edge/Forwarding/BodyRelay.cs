using Ashlar.Edge.Caching.Store;
using Ashlar.Edge.Gateways;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>How far <see cref="BodyRelay.Move"/> came.</summary>
internal enum RelayStatus
{
    /// <summary>All received bytes are moved.</summary>
    NeedMore,

    /// <summary>The outbox must be flushed before more can be moved.</summary>
    Full,

    /// <summary>The body is complete.</summary>
    Done,

    /// <summary>The body is malformed.</summary>
    Bad,
}

/// <summary>
/// One direction of a body: moves it from the buffer it was received in to an outbox, from the framing it came in to the
/// framing it goes out in. Large pieces are lent, not copied.
/// </summary>
internal sealed class BodyRelay(HttpLimits limits)
{
    // Below this a copy costs less than a second vector in the call.
    private const int CopyUpTo = 4096;

    // A chunk's head, its end, and the last chunk.
    private const int ChunkOverhead = 32;

    private BodyFraming _from;
    private bool _toChunked;
    private bool _toRecords;
    private long _left;
    private ChunkedDecoder _decoder;
    private ChunkedRelay _chunks;
    private bool _decoded;
    private readonly int _leastRoom = ChunkedRelay.MinimumDestination(limits);

    /// <summary>True once the body is complete and moved.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Why the body is refused; null unless it is.</summary>
    public HttpProblem? Problem { get; private set; }

    /// <summary>Bytes of the body moved so far, as received.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes known to be still to come; 0 where only the end tells.</summary>
    public long Left => _left;

    /// <summary>Begins a body.</summary>
    /// <param name="from">Framing it comes in.</param>
    /// <param name="length">Its length, when that is how it is framed.</param>
    /// <param name="toChunked">True: it goes out chunked. False: as plain bytes.</param>
    public void Begin(BodyFraming from, long length, bool toChunked)
    {
        _from = from;
        _toChunked = toChunked;
        _decoded = false;
        _toRecords = false;
        _left = from == BodyFraming.Length ? length : 0;
        IsDone = from == BodyFraming.None;
        Bytes = 0;
        Problem = null;
        if (from == BodyFraming.Chunked)
        {
            _decoder = new ChunkedDecoder(limits);
            _chunks = new ChunkedRelay(limits);
        }
    }

    /// <summary>Begins a body of a length that is known and not 0, which goes out as the STDIN records of FastCGI.</summary>
    public void BeginRecords(long length)
    {
        Begin(BodyFraming.Length, length, toChunked: false);
        _toRecords = true;
    }

    /// <summary>Moves what there is and what there is room for.</summary>
    public RelayStatus Move(PooledBuffer source, Outbox destination)
    {
        if (IsDone)
        {
            return RelayStatus.Done;
        }

        return _from switch
        {
            BodyFraming.Length => _toRecords ? MoveIntoRecords(source, destination) : MoveLength(source, destination),
            BodyFraming.Chunked => !_toChunked ? MoveOutOfChunks(source, destination)
                : _decoded ? MoveIntoNewChunks(source, destination)
                : MoveChunked(source, destination),
            _ => _toChunked ? MoveIntoChunks(source, destination) : MovePlain(source, destination),
        };
    }

    /// <summary>Moves what there is into the cache, without framing. <see cref="RelayStatus.Full"/>: there is no room in it for what has come.</summary>
    public RelayStatus Store(PooledBuffer source, CacheBody destination)
    {
        _decoded = true;
        if (IsDone)
        {
            return RelayStatus.Done;
        }

        if (_from == BodyFraming.Length)
        {
            var take = (int)Math.Min(_left, source.Length);
            if (!destination.TryReserve(take))
            {
                return RelayStatus.Full;
            }

            destination.Append(source.Slice(source.Start, take));
            source.Start += take;
            Bytes += take;
            _left -= take;
            IsDone = _left == 0;
            return IsDone ? RelayStatus.Done : RelayStatus.NeedMore;
        }

        return destination.TryReserve(source.Length) ? StoreDecoded(source, destination) : RelayStatus.Full;
    }

    /// <summary>The source has ended. True if that is the body's proper end; the outbox must be empty.</summary>
    public bool End(Outbox destination)
    {
        if (_from != BodyFraming.UntilClose)
        {
            return IsDone;
        }

        if (_toChunked)
        {
            destination.Copy(ChunkedEncoder.End);
        }

        IsDone = true;
        return true;
    }

    private RelayStatus MoveLength(PooledBuffer source, Outbox destination)
    {
        var take = (int)Math.Min(_left, source.Length);
        if (take > 0)
        {
            if (destination.Room == 0)
            {
                return RelayStatus.Full;
            }

            Pass(source, source.Start, take, destination);
            source.Start += take;
            _left -= take;
        }

        IsDone = _left == 0;
        return IsDone ? RelayStatus.Done : RelayStatus.NeedMore;
    }

    private RelayStatus MovePlain(PooledBuffer source, Outbox destination)
    {
        if (source.Length > 0)
        {
            if (destination.Room == 0)
            {
                return RelayStatus.Full;
            }

            Pass(source, source.Start, source.Length, destination);
            source.Start = source.End;
        }

        return RelayStatus.NeedMore;
    }

    private RelayStatus MoveIntoChunks(PooledBuffer source, Outbox destination)
    {
        while (source.Length > 0)
        {
            Prepare(destination, source.Length);
            var take = Math.Min(source.Length, destination.Room - ChunkOverhead);
            if (take <= 0)
            {
                return RelayStatus.Full;
            }

            WriteChunk(source.Data[..take], destination);
            source.Start += take;
        }

        return RelayStatus.NeedMore;
    }

    private RelayStatus MoveIntoRecords(PooledBuffer source, Outbox destination)
    {
        while (_left > 0 && source.Length > 0)
        {
            var there = (int)Math.Min(_left, source.Length);
            Prepare(destination, there);
            var take = Math.Min(Math.Min(there, FastCgi.MaxContent), destination.Room - ChunkOverhead);
            if (take <= 0)
            {
                return RelayStatus.Full;
            }

            FastCgi.WriteHeader(destination.Free, RecordType.Stdin, take);
            destination.Advance(FastCgi.HeaderLength);
            destination.Copy(source.Data[..take]);
            source.Start += take;
            _left -= take;
            Bytes += take;
        }

        if (_left > 0)
        {
            return RelayStatus.NeedMore;
        }

        if (destination.Room < FastCgi.HeaderLength)
        {
            return RelayStatus.Full;
        }

        destination.Copy(FastCgi.EndOfStdin);
        IsDone = true;
        return RelayStatus.Done;
    }

    private RelayStatus MoveChunked(PooledBuffer source, Outbox destination)
    {
        Prepare(destination, source.Length);
        if (destination.Room < _leastRoom)
        {
            return RelayStatus.Full;
        }

        var status = _chunks.Relay(source.Data, destination.Free, out var consumed, out var written);
        source.Start += consumed;
        destination.Advance(written);
        Bytes += consumed;
        switch (status)
        {
            case ChunkedStatus.Done:
                IsDone = true;
                return RelayStatus.Done;
            case ChunkedStatus.Bad:
                Problem = _chunks.Problem;
                return RelayStatus.Bad;
            default:
                return source.Length > 0 && written > 0 ? RelayStatus.Full : RelayStatus.NeedMore;
        }
    }

    private RelayStatus StoreDecoded(PooledBuffer source, CacheBody destination)
    {
        while (true)
        {
            var status = _decoder.Read(source.Data, out var consumed, out var found);
            var at = source.Start + found.Start;
            source.Start += consumed;
            switch (status)
            {
                case ChunkedStatus.Data:
                    destination.Append(source.Slice(at, found.Length));
                    Bytes += found.Length;
                    break;
                case ChunkedStatus.Trailer:
                    // A stored answer has a length and no trailers.
                    break;
                case ChunkedStatus.NeedMore:
                    return RelayStatus.NeedMore;
                case ChunkedStatus.Done:
                    IsDone = true;
                    return RelayStatus.Done;
                default:
                    Problem = _decoder.Problem;
                    return RelayStatus.Bad;
            }
        }
    }

    private RelayStatus MoveIntoNewChunks(PooledBuffer source, Outbox destination)
    {
        while (destination.Room > ChunkOverhead)
        {
            var room = destination.Room - ChunkOverhead;
            var before = source.End;

            // No more is decoded than has room.
            source.End = Math.Min(before, source.Start + room);
            var status = _decoder.Read(source.Data, out var consumed, out var found);
            source.End = before;
            var at = source.Start + found.Start;
            source.Start += consumed;
            switch (status)
            {
                case ChunkedStatus.Data:
                    WriteChunk(source.Slice(at, found.Length), destination);
                    break;
                case ChunkedStatus.Trailer:
                    break;
                case ChunkedStatus.NeedMore when source.Length > 0 && consumed > 0:
                    break;
                case ChunkedStatus.NeedMore:
                    return RelayStatus.NeedMore;
                case ChunkedStatus.Done:
                    IsDone = true;
                    destination.Copy(ChunkedEncoder.End);
                    return RelayStatus.Done;
                default:
                    Problem = _decoder.Problem;
                    return RelayStatus.Bad;
            }
        }

        return RelayStatus.Full;
    }

    private RelayStatus MoveOutOfChunks(PooledBuffer source, Outbox destination)
    {
        while (destination.Room > 0)
        {
            var status = _decoder.Read(source.Data, out var consumed, out var found);
            var at = source.Start + found.Start;
            source.Start += consumed;
            switch (status)
            {
                case ChunkedStatus.Data:
                    Pass(source, at, found.Length, destination);
                    break;
                case ChunkedStatus.Trailer:
                    // Nobody is there to take it: the body goes out as plain bytes.
                    break;
                case ChunkedStatus.NeedMore:
                    return RelayStatus.NeedMore;
                case ChunkedStatus.Done:
                    IsDone = true;
                    return RelayStatus.Done;
                default:
                    Problem = _decoder.Problem;
                    return RelayStatus.Bad;
            }
        }

        return RelayStatus.Full;
    }

    private void Pass(PooledBuffer source, int start, int length, Outbox destination)
    {
        if (length <= CopyUpTo && length <= destination.Room)
        {
            destination.Copy(source.Slice(start, length));
        }
        else
        {
            destination.Lend(source, start, length);
        }

        Bytes += length;
    }

    // A flood of bytes is framed in one large piece rather than in several small ones.
    private static void Prepare(Outbox destination, int length)
    {
        if (length > BufferPool.Small - ChunkOverhead && destination.IsEmpty)
        {
            destination.EnsureLarge();
        }
    }

    private void WriteChunk(ReadOnlySpan<byte> data, Outbox destination)
    {
        destination.Advance(ChunkedEncoder.WriteHead(destination.Free, data.Length));
        destination.Copy(data);
        destination.Copy(ChunkedEncoder.ChunkEnd);
        Bytes += data.Length;
    }
}
