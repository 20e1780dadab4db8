using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Ashlar.Agent.Machines.Sessions;

/// <summary>What two machines say while a program runs on one of them for somebody on the other: a byte for the kind, four for the length, the content.</summary>
internal static class SessionFrames
{
    /// <summary>Longest content of a frame.</summary>
    public const int Longest = 32 << 10;

    private const int HeaderLength = 1 + sizeof(int);

    /// <summary>Sends a frame. Not from two threads at once.</summary>
    public static async ValueTask WriteAsync(Stream stream, SessionFrame kind, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var frame = new byte[HeaderLength + content.Length];
        frame[0] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), content.Length);
        content.CopyTo(frame.AsMemory(HeaderLength));
        await stream.WriteAsync(frame, cancellation);
    }

    /// <summary>Reads a frame.</summary>
    /// <exception cref="IOException">The other side has gone, or says something else.</exception>
    public static async ValueTask<(SessionFrame Kind, byte[] Content)> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var header = new byte[HeaderLength];
        await stream.ReadExactlyAsync(header, cancellation);
        var length = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1));
        if (length is < 0 or > Longest)
        {
            throw new IOException($"A frame of {length} bytes.");
        }

        var content = new byte[length];
        await stream.ReadExactlyAsync(content, cancellation);
        return ((SessionFrame)header[0], content);
    }

    /// <summary>A number as content.</summary>
    public static byte[] Number(int value)
    {
        var content = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(content, value);
        return content;
    }

    /// <summary>The number that a content is.</summary>
    /// <exception cref="IOException">It is none.</exception>
    public static int Number(byte[] content) =>
        content.Length == sizeof(int) ? BinaryPrimitives.ReadInt32BigEndian(content) : throw new IOException("A frame that is no number.");
}

/// <summary>Kinds of frames.</summary>
internal enum SessionFrame : byte
{
    /// <summary>To the program: what is typed. Empty: that was all.</summary>
    Input,

    /// <summary>From its standard output.</summary>
    Output,

    /// <summary>From its standard error.</summary>
    Error,

    /// <summary>Its exit code; the last frame.</summary>
    Exit,
}

/// <summary>What is to run on another machine.</summary>
/// <param name="Arguments">A verb of this program with its arguments.</param>
/// <param name="Terminal">Size and kind of the terminal that it is to have; null: none.</param>
internal sealed record SessionRequest(ImmutableArray<string> Arguments, SessionTerminal? Terminal = null);

/// <summary>A terminal.</summary>
/// <param name="Kind">Value of <c>TERM</c>.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Rows">Its rows.</param>
public sealed record SessionTerminal(string Kind, int Columns, int Rows);
