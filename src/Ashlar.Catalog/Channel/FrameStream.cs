using System.Buffers.Binary;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Ashlar.Catalog.Channel;

/// <summary>The process at the other end, as the kernel vouches for it (SO_PEERCRED).</summary>
/// <param name="Pid">Its process id when it connected or began to listen.</param>
/// <param name="User">Its effective user id then.</param>
/// <param name="Group">Its effective group id then.</param>
public sealed record Peer(int Pid, uint User, uint Group);

/// <summary>What came over a <see cref="FrameStream"/> is not a frame: too long, cut off, not JSON, or descriptors were lost.</summary>
public sealed class FrameException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>
/// JSON frames, each with its length before it (4 bytes, big-endian), over a Unix socket that also carries descriptors.
/// One reader at a time; any number of senders, whose frames never mix. After a <see cref="FrameException"/> only disposing makes sense.
/// </summary>
public sealed class FrameStream : IDisposable
{
    /// <summary>Longest frame: 16 MiB.</summary>
    public const int LongestFrame = 16 << 20;

    /// <summary>Descriptors that may wait for the frame that names them.</summary>
    public const int MostDescriptors = 1024;

    private const int HeaderLength = 4;
    private const int SmallBuffer = 8 << 10;
    private readonly Socket _socket;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly Queue<Descriptor> _descriptors = new();
    private byte[] _buffer = new byte[SmallBuffer];
    private int _start;
    private int _end;
    private volatile bool _broken;
    private int _disposed;

    internal FrameStream(Socket socket)
    {
        _socket = socket;
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(Native.SOL_SOCKET, Native.SO_PEERCRED, credentials);
        Peer = new Peer(
            BitConverter.ToInt32(credentials), BitConverter.ToUInt32(credentials[4..]), BitConverter.ToUInt32(credentials[8..]));
    }

    /// <summary>The process at the other end.</summary>
    public Peer Peer { get; }

    /// <summary>Connects to whoever listens at a path, which may be longer than 108 bytes. Does not wait.</summary>
    /// <param name="path">Path of the socket.</param>
    /// <param name="trustedUser">User id that may listen there besides our own and root; null: none.</param>
    /// <exception cref="UntrustedPeerException">Somebody listens who is not trusted.</exception>
    /// <exception cref="IOException">Nobody answers.</exception>
    public static FrameStream Connect(string path, uint? trustedUser = null)
    {
        using var descriptor = SocketPath.Connect(path);
        var stream = new FrameStream(ToSocket(descriptor));
        if (IsTrusted(stream.Peer, trustedUser))
        {
            return stream;
        }

        stream.Dispose();
        throw new UntrustedPeerException($"User {stream.Peer.User} listens on {path}; only our own user and root are trusted.");
    }

    /// <summary>Sends one frame whole. A cancellation in the middle of a frame ends the stream.</summary>
    /// <exception cref="IOException">The other side is gone.</exception>
    /// <exception cref="FrameException">The frame is longer than <see cref="LongestFrame"/>; nothing is sent.</exception>
    public Task SendAsync<T>(T message, JsonTypeInfo<T> type, CancellationToken cancellation = default) =>
        SendAsync(message, type, [], cancellation);

    /// <summary>Sends one frame with descriptors; the caller keeps its own copies and the other side gets equal ones.</summary>
    public async Task SendAsync<T>(
        T message, JsonTypeInfo<T> type, IReadOnlyList<Descriptor> descriptors, CancellationToken cancellation = default)
    {
        if (descriptors.Count > MostDescriptors)
        {
            throw new ArgumentException($"More than {MostDescriptors} descriptors.", nameof(descriptors));
        }

        var frame = ToFrame(message, type);
        await _sending.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_broken)
            {
                throw new IOException("The stream has ended.");
            }

            _broken = true; // until the frame is out whole
            var sent = 0;
            for (var first = 0; first < descriptors.Count; first += Native.DescriptorsPerMessage)
            {
                var some = descriptors.Skip(first).Take(Native.DescriptorsPerMessage).ToArray();

                // One byte carries each lot: at most five lots, and a frame has at least six bytes.
                await SendDescriptorsAsync(frame.AsMemory(sent, 1), some, cancellation).ConfigureAwait(false);
                sent++;
            }

            while (sent < frame.Length)
            {
                sent += await _socket.SendAsync(frame.AsMemory(sent), SocketFlags.None, cancellation).ConfigureAwait(false);
            }

            _broken = false;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException("The other side is gone.", e);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>
    /// The next frame; null at the end of the stream. A cancellation loses nothing: the next call goes on where this one was.
    /// </summary>
    /// <exception cref="FrameException">What came is not a frame of this type.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<T?> ReadAsync<T>(JsonTypeInfo<T> type, CancellationToken cancellation = default) where T : class
    {
        if (!await FillAsync(HeaderLength, cancellation).ConfigureAwait(false))
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(_start));
        if (length is 0 or > LongestFrame)
        {
            throw new FrameException($"A frame of {length} bytes; 1 to {LongestFrame} are allowed.");
        }

        await FillAsync(HeaderLength + (int)length, cancellation).ConfigureAwait(false);
        var body = _buffer.AsSpan(_start + HeaderLength, (int)length);
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw new FrameException("A frame that says null.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or ArgumentException or InvalidOperationException)
        {
            throw new FrameException("A frame that is not the JSON expected.", e);
        }
        finally
        {
            Consume(HeaderLength + (int)length);
        }
    }

    /// <summary>Takes descriptors that came with the frames read so far, the oldest first. They are the caller's from now on.</summary>
    /// <exception cref="FrameException">Fewer came.</exception>
    public IReadOnlyList<Descriptor> TakeDescriptors(int count)
    {
        lock (_descriptors)
        {
            if (count < 0 || count > _descriptors.Count)
            {
                throw new FrameException($"A frame names {count} descriptors, {_descriptors.Count} came.");
            }

            return [.. Enumerable.Range(0, count).Select(_ => _descriptors.Dequeue())];
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _broken = true;
        _socket.Dispose();
        lock (_descriptors)
        {
            while (_descriptors.TryDequeue(out var descriptor))
            {
                descriptor.Dispose();
            }
        }
    }

    internal static bool IsTrusted(Peer peer, uint? user) =>
        peer.User == 0 || peer.User == Native.GetEffectiveUser() || peer.User == user;

    internal static Socket ToSocket(Descriptor descriptor) => new(new SafeSocketHandle(descriptor.Release(), ownsHandle: true));

    private static byte[] ToFrame<T>(T message, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(message, type);
        if (body.Length > LongestFrame)
        {
            throw new FrameException($"A frame of {body.Length} bytes; {LongestFrame} are allowed.");
        }

        var frame = new byte[HeaderLength + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
        body.CopyTo(frame, HeaderLength);
        return frame;
    }

    // False only at an end between two frames.
    private async ValueTask<bool> FillAsync(int wanted, CancellationToken cancellation)
    {
        while (_end - _start < wanted)
        {
            MakeRoom(wanted);
            int got;
            try
            {
                while ((got = Receive()) < 0)
                {
                    // Zero bytes: only waits until there is something to read.
                    await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellation).ConfigureAwait(false);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw new IOException("The connection broke.", e);
            }

            if (got == 0)
            {
                return _end == _start ? false : throw new FrameException("The stream ended in the middle of a frame.");
            }

            _end += got;
        }

        return true;
    }

    // Grows with what has come, not with what a header promises.
    private void MakeRoom(int wanted)
    {
        if (_end < _buffer.Length)
        {
            return;
        }

        var held = _end - _start;
        var size = Math.Max(SmallBuffer, Math.Min(Math.Max(held * 2, SmallBuffer), wanted));
        var target = size > _buffer.Length ? new byte[size] : _buffer;
        Buffer.BlockCopy(_buffer, _start, target, 0, held);
        (_buffer, _start, _end) = (target, 0, held);
    }

    private void Consume(int count)
    {
        _start += count;
        if (_start == _end)
        {
            _start = _end = 0;
            if (_buffer.Length > SmallBuffer * 8)
            {
                _buffer = new byte[SmallBuffer];
            }
        }
    }

    // Every read is a recvmsg: a plain read would throw away descriptors that come with the bytes.
    private unsafe int Receive()
    {
        const int controlSize = 16 + (Native.DescriptorsPerMessage * 4) + 4;
        var control = stackalloc byte[controlSize];
        fixed (byte* data = &_buffer[_end])
        {
            var vector = new IoVector { Base = data, Length = (nuint)(_buffer.Length - _end) };
            nint got;
            MessageHeader message;
            do
            {
                message = new MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = controlSize };
                got = Call(&Native.ReceiveMessage, &message, Native.MSG_DONTWAIT | Native.MSG_CMSG_CLOEXEC);
            }
            while (got == -Native.EINTR);
            if (got == -Native.EAGAIN)
            {
                return -1;
            }

            if (got < 0)
            {
                throw new IOException("The connection broke.", new Win32Exception((int)-got));
            }

            KeepDescriptors(in message);
            return (int)got;
        }
    }

    private unsafe void KeepDescriptors(in MessageHeader message)
    {
        lock (_descriptors)
        {
            for (nuint at = 0; at + 16 <= message.ControlLength;)
            {
                var header = (ControlHeader*)(message.Control + at);
                if (header->Length < 16)
                {
                    break;
                }

                if (header->Level == Native.SOL_SOCKET && header->Type == Native.SCM_RIGHTS)
                {
                    foreach (var fd in new ReadOnlySpan<int>(header + 1, (int)(header->Length - 16) / 4))
                    {
                        _descriptors.Enqueue(new Descriptor(fd));
                    }
                }

                at += (header->Length + 7) & ~(nuint)7;
            }

            if ((message.Flags & Native.MSG_CTRUNC) != 0)
            {
                throw new FrameException("Descriptors were lost: this process has reached its limit of open files.");
            }

            if (_descriptors.Count > MostDescriptors)
            {
                throw new FrameException($"More than {MostDescriptors} descriptors came that no frame has named.");
            }
        }
    }

    private async Task SendDescriptorsAsync(ReadOnlyMemory<byte> bytes, Descriptor[] descriptors, CancellationToken cancellation)
    {
        while (TrySendDescriptors(bytes.Span, descriptors) is var error and not 0)
        {
            if (error != Native.EAGAIN)
            {
                throw new IOException("The other side is gone.", new Win32Exception(error));
            }

            // .NET can wait for room only by sending; this is seldom (the socket's buffer is full) and the wait is bounded.
            cancellation.ThrowIfCancellationRequested();
            await Task.Run(() => _socket.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectWrite), cancellation).ConfigureAwait(false);
        }
    }

    private unsafe int TrySendDescriptors(ReadOnlySpan<byte> bytes, Descriptor[] descriptors)
    {
        var length = (nuint)(16 + (descriptors.Length * 4));
        var control = stackalloc byte[(int)((length + 7) & ~(nuint)7)];
        var header = (ControlHeader*)control;
        *header = new ControlHeader { Length = length, Level = Native.SOL_SOCKET, Type = Native.SCM_RIGHTS };
        var held = 0;
        try
        {
            for (; held < descriptors.Length; held++)
            {
                var added = false;
                descriptors[held].DangerousAddRef(ref added);
                ((int*)(header + 1))[held] = descriptors[held].Number;
            }

            fixed (byte* data = bytes)
            {
                var vector = new IoVector { Base = data, Length = (nuint)bytes.Length };
                var message = new MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = length };
                nint sent;
                do
                {
                    sent = Call(&Native.SendMessage, &message, Native.MSG_DONTWAIT | Native.MSG_NOSIGNAL);
                }
                while (sent == -Native.EINTR);
                return sent < 0 ? (int)-sent : 0;
            }
        }
        finally
        {
            while (held > 0)
            {
                descriptors[--held].DangerousRelease();
            }
        }
    }

    // The result of the system call, or minus its error; the descriptor cannot be closed under it.
    private unsafe nint Call(delegate*<int, MessageHeader*, int, nint> function, MessageHeader* message, int flags)
    {
        var held = false;
        var handle = _socket.SafeHandle;
        try
        {
            handle.DangerousAddRef(ref held);
            var result = function((int)handle.DangerousGetHandle(), message, flags);
            return result >= 0 ? result : -Marshal.GetLastPInvokeError();
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }
}
