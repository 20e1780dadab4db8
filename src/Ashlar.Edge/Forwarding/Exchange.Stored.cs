using Ashlar.Edge.Caching;
using Ashlar.Edge.Caching.Rules;
using Ashlar.Edge.Caching.Store;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>Answers from the store: heads that are written with it, and bodies that are lent to the socket where they lie.</summary>
internal sealed partial class Exchange
{
    // Below this a copy costs less than a second vector in the call.
    private const int CopyBodyUpTo = 4096;

    private bool _servesStored;
    private bool _storedChunked;
    private bool _owesChunkEnd;

    // The next byte to send, and behind the last one; -1: that is not known yet.
    private long _storedAt;
    private long _storedEnd;

    /// <summary>Answers with a stored response, which is leased for it.</summary>
    private void ServeStored(StoredResponse stored, CacheWord word, ReadOnlySpan<byte> ownLines = default)
    {
        _stored = stored;
        _cacheWord = word;
        _storeRule = StoreRule.Stored;
        BeginOwnAnswer(stored.Status);
        _servesStored = true;
        _responseDone = false;
        var buffer = _client.Received!.Slice(_headStart, Request.Consumed);
        var freshness = FreshnessOf(stored);
        var (now, length) = (_loop.Now, stored.Length);
        var chunked = length < 0 && Request.Version == 11;
        _keepAlive &= length >= 0 || chunked;
        Span<byte> line = stackalloc byte[CacheStatus.Longest];
        var left = freshness.FreshFor(now);
        line = line[..CacheStatus.WriteHit(line, word, left >= 0 ? left / 1000 : (left - 999) / 1000)];
        var context = new AnswerContext
        {
            Age = freshness.AgeAt(now) / 1000,
            CacheLine = line,
            Chunked = chunked,
            OwnLines = ownLines,
            HstsLine = stored.HasHsts ? default : HstsLine,
            Edits = _edits,
            ConnectionLine = Request.Version == 11 ? _keepAlive ? default : "Connection: close\r\n"u8 : _keepAlive ? "Connection: keep-alive\r\n"u8 : default,
        };
        if (AnswerHead.Bound(stored, in context) > BufferPool.Small)
        {
            _toClient.EnsureLarge();
        }

        (_storedAt, _storedEnd, _storedChunked) = (0, length, chunked);
        _toClient.Advance(WriteStoredHead(_toClient.Free, stored, buffer, context));
        _responseDone = _storedAt == _storedEnd;
    }

    private int WriteStoredHead(Span<byte> to, StoredResponse stored, ReadOnlySpan<byte> buffer, AnswerContext context)
    {
        if (stored.Status == 200)
        {
            var modified = stored.LastModified >= 0 ? stored.LastModified : stored.Date;
            if ((Request.Has(KnownHeader.IfNoneMatch) || Request.Has(KnownHeader.IfModifiedSince))
                && Conditions.IsNotModified(Request, buffer, stored.ETag.Span, modified))
            {
                (_status, _storedEnd) = (304, 0);
                _storedChunked = false;
                return AnswerHead.WriteNotModified(to, stored, context with { Chunked = false });
            }

            if (Request.Has(KnownHeader.Range) && Request.Method == KnownMethod.Get && stored.Length >= 0
                && Conditions.AllowsRange(Request, buffer, stored.ETag.Span, stored.LastModified))
            {
                var part = Conditions.Range(Request.Find(KnownHeader.Range).Of(buffer), stored.Length);
                if (part.IsNone)
                {
                    (_status, _storedEnd) = (416, 0);
                    return AnswerHead.WriteOutside(to, stored, _edge.DateLine, in context);
                }

                if (!part.IsWhole)
                {
                    (_status, _storedAt, _storedEnd) = (206, part.Start, part.End);
                    return AnswerHead.WritePart(to, stored, part, in context);
                }
            }
        }

        if (Request.Method == KnownMethod.Head)
        {
            _storedEnd = 0;
            _storedChunked = false;
        }

        return AnswerHead.Write(to, stored, in context);
    }

    /// <summary>Moves what there is of the stored body into the outbox. False: the exchange is over.</summary>
    private bool ProduceStored()
    {
        if (_isAlone)
        {
            return true;
        }

        var body = _stored!.Body;
        while (!_responseDone && _toClient.Room > 0)
        {
            // First whether it is all there, then how much: what is read as complete is.
            var state = StateOfBody();
            var piece = body.At(_storedAt, (_storedEnd < 0 ? long.MaxValue : _storedEnd) - _storedAt);
            if (piece.IsEmpty)
            {
                if (_drainsStored)
                {
                    StoredDrained();
                    return true;
                }

                if (state == FillState.Asked)
                {
                    return true;
                }

                return state != FillState.Broken ? EndStored() : BreakStored();
            }

            if (!_storedChunked)
            {
                Pass(piece);
            }
            else if (!PassChunk(ref piece))
            {
                return true;
            }

            _storedAt += piece.Length;
            _responseDone = _storedAt == _storedEnd && !_storedChunked;
        }

        return true;
    }

    // Asked: more is to come.
    private FillState StateOfBody() =>
        _fillsBody ? FillState.Asked
        : _awaited is not { } fill ? FillState.Done
        : fill.State == FillState.Flowing ? FillState.Asked
        : fill.State;

    private bool EndStored()
    {
        if (_storedChunked)
        {
            if (_toClient.Room < 16)
            {
                return true;
            }

            if (_owesChunkEnd)
            {
                _toClient.Copy(ChunkedEncoder.ChunkEnd);
                _owesChunkEnd = false;
            }

            _toClient.Copy(ChunkedEncoder.End);
        }

        _responseDone = true;
        return true;
    }

    private bool BreakStored()
    {
        Finish(Ending.Abort, Logging.Failure.Truncated);
        return false;
    }

    private void Pass(ReadOnlySpan<byte> piece)
    {
        if (piece.Length <= CopyBodyUpTo && piece.Length <= _toClient.Room)
        {
            _toClient.Copy(piece);
        }
        else
        {
            _toClient.Lend(piece);
        }
    }

    // The end of a chunk whose data is lent can only be written before the next.
    private bool PassChunk(ref ReadOnlySpan<byte> piece)
    {
        if (_toClient.Room < 32)
        {
            return false;
        }

        if (_owesChunkEnd)
        {
            _toClient.Copy(ChunkedEncoder.ChunkEnd);
        }

        _toClient.Advance(ChunkedEncoder.WriteHead(_toClient.Free, piece.Length));
        Pass(piece);
        _owesChunkEnd = true;
        return true;
    }
}
