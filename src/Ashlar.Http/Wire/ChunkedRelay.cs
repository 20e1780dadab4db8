using System.Runtime.InteropServices;

namespace Ashlar.Http.Wire;

/// <summary>
/// Passes a chunked body on in framing of our own: every byte of framing the other side sees was written here. What has
/// arrived goes out as one chunk, however small the pieces it came in; nothing is held back.
/// </summary>
/// <param name="limits">What extensions and trailers may cost.</param>
[StructLayout(LayoutKind.Auto)]
public struct ChunkedRelay(HttpLimits limits)
{
    private const int HeadRoom = 6; // "ffff\r\n", zeros in front
    private const int FrameRoom = HeadRoom + 2;
    private const int LastRoom = 5; // "0\r\n\r\n"
    private const int MaxChunk = 0xffff;

    private ChunkedDecoder _decoder = new(limits);
    private bool _lastChunkWritten;

    /// <summary>Why the body is refused; null unless it is.</summary>
    public readonly HttpProblem? Problem => _decoder.Problem;

    /// <summary>Whether the end of the body has been written.</summary>
    public readonly bool IsDone => _decoder.IsDone;

    /// <summary>Least room with which every body gets on.</summary>
    public static int MinimumDestination(HttpLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return limits.MaxTrailerBytes + FrameRoom + LastRoom + 1;
    }

    /// <summary>Room that takes all of so many bytes of input, up to 65,535.</summary>
    public static int Bound(int input) => input + FrameRoom + LastRoom + 1;

    /// <summary>Decodes and frames anew.</summary>
    /// <param name="input">Bytes received and not consumed yet.</param>
    /// <param name="destination">Where the framed bytes go; at least <see cref="MinimumDestination"/>.</param>
    /// <param name="consumed">How much of the input is done with; an incomplete trailer line has to be presented again.</param>
    /// <param name="written">How much was written.</param>
    /// <returns>
    /// <see cref="ChunkedStatus.NeedMore"/>: call again, with more input, or with an emptied destination if that was too
    /// small to take all; <see cref="ChunkedStatus.Done"/>: the end is written; <see cref="ChunkedStatus.Bad"/>: what was
    /// written is valid, but the message must be cut off.
    /// </returns>
    public ChunkedStatus Relay(ReadOnlySpan<byte> input, Span<byte> destination, out int consumed, out int written)
    {
        consumed = 0;
        written = 0;
        var chunk = 0; // bytes of data gathered behind the room for a chunk's head at `written`
        while (true)
        {
            // No more input is looked at than its data, as one chunk, and the end of the body have room for.
            var room = Math.Min(destination.Length - written - FrameRoom - LastRoom, MaxChunk) - chunk;
            if (room <= 0)
            {
                CloseChunk(destination, ref written, ref chunk);
                return ChunkedStatus.NeedMore;
            }

            var window = input.Slice(consumed, Math.Min(input.Length - consumed, room));
            var status = _decoder.Read(window, out var used, out var found);
            consumed += used;
            switch (status)
            {
                case ChunkedStatus.Data:
                    found.Of(window).CopyTo(destination[(written + HeadRoom + chunk)..]);
                    chunk += found.Length;
                    break;

                case ChunkedStatus.Trailer:
                    CloseChunk(destination, ref written, ref chunk);
                    WriteLastChunk(destination, ref written);
                    window.Slice(found.Start, found.Length + 2).CopyTo(destination[written..]);
                    written += found.Length + 2;
                    break;

                case ChunkedStatus.NeedMore when used == window.Length && consumed < input.Length:
                    break;

                default:
                    CloseChunk(destination, ref written, ref chunk);
                    if (status == ChunkedStatus.Done)
                    {
                        WriteLastChunk(destination, ref written);
                        ChunkedEncoder.ChunkEnd.CopyTo(destination[written..]);
                        written += 2;
                    }

                    return status;
            }
        }
    }

    private void WriteLastChunk(Span<byte> destination, ref int written)
    {
        if (!_lastChunkWritten)
        {
            _lastChunkWritten = true;
            ChunkedEncoder.LastChunk.CopyTo(destination[written..]);
            written += ChunkedEncoder.LastChunk.Length;
        }
    }

    private static void CloseChunk(Span<byte> destination, ref int written, ref int chunk)
    {
        if (chunk == 0)
        {
            return;
        }

        var to = destination[written..];
        ChunkedEncoder.WritePaddedHead(to, chunk);
        ChunkedEncoder.ChunkEnd.CopyTo(to[(HeadRoom + chunk)..]);
        written += FrameRoom + chunk;
        chunk = 0;
    }
}
