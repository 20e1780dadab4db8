using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Gateways;

/// <summary>How far a <see cref="RequestSpool"/> came.</summary>
internal enum SpoolStatus
{
    /// <summary>All received bytes are taken.</summary>
    NeedMore,

    /// <summary><see cref="RequestSpool.WriteOut"/> has to be called, off the loop, before more is taken.</summary>
    Full,

    /// <summary>The body is complete.</summary>
    Done,

    /// <summary>The body is malformed.</summary>
    Bad,

    /// <summary>The body is larger than may be kept.</summary>
    TooLarge,
}

/// <summary>
/// A chunked body, kept until its length is known, because a script is told the length before the body: up to a block in memory, what is
/// more in a file without a name.
/// </summary>
#pragma warning disable CA1001 // it may have to outlive who ends it, until a write is over: see End
internal sealed class RequestSpool(HttpLimits limits, long mostBytes)
#pragma warning restore CA1001
{
    private const int Block = 256 * 1024;

    private readonly byte[] _block = new byte[Block];
    private ChunkedDecoder _decoder = new(limits);
    private FileStream? _file;
    private int _inBlock;
    private long _read;
    private bool _isWriting;
    private bool _isEnded;

    /// <summary>Bytes of the body.</summary>
    public long Length { get; private set; }

    /// <summary>Why the body is refused.</summary>
    public HttpProblem? Problem => _decoder.Problem;

    /// <summary>Takes what was received of the body.</summary>
    public SpoolStatus Take(PooledBuffer received)
    {
        while (true)
        {
            if (_inBlock == Block)
            {
                return SpoolStatus.Full;
            }

            var data = received.Data;
            var window = data[..Math.Min(data.Length, Block - _inBlock)];
            var status = _decoder.Read(window, out var consumed, out var found);
            if (status == ChunkedStatus.Data)
            {
                found.Of(window).CopyTo(_block.AsSpan(_inBlock));
                _inBlock += found.Length;
                Length += found.Length;
            }

            received.Start += consumed;
            switch (status)
            {
                case ChunkedStatus.NeedMore when window.Length == data.Length:
                    return SpoolStatus.NeedMore;
                case ChunkedStatus.NeedMore when consumed == 0:
                    return SpoolStatus.Full;
                case ChunkedStatus.Done:
                    return SpoolStatus.Done;
                case ChunkedStatus.Bad:
                    return SpoolStatus.Bad;
            }

            if (Length > mostBytes)
            {
                return SpoolStatus.TooLarge;
            }
        }
    }

    /// <summary>Writes the full block to the file. Off the loop, which keeps its hands off meanwhile.</summary>
    /// <exception cref="IOException">There is no room.</exception>
    public void WriteOut()
    {
        lock (_block)
        {
            _isWriting = !_isEnded;
        }

        if (!_isWriting)
        {
            return;
        }

        try
        {
            _file ??= new FileStream(
                Path.Combine(Path.GetTempPath(), $"ashlar-body-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1,
                FileOptions.DeleteOnClose);
            _file.Write(_block, 0, _inBlock);
            _inBlock = 0;
        }
        finally
        {
            lock (_block)
            {
                _isWriting = false;
                if (_isEnded)
                {
                    _file?.Dispose();
                }
            }
        }
    }

    /// <summary>True: the last <see cref="WriteOut"/> has made room.</summary>
    public bool HasRoom => _inBlock < Block;

    /// <summary>Begins to read it, once more if need be.</summary>
    public void Rewind() => _read = 0;

    /// <summary>Reads on; what was written to the file a moment ago is in memory still. 0: that was all.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public int Read(Span<byte> destination)
    {
        var inFile = _file?.Length ?? 0;
        if (_read < inFile)
        {
            var fromFile = RandomAccess.Read(_file!.SafeFileHandle, destination, _read);
            _read += fromFile;
            return fromFile;
        }

        var at = (int)(_read - inFile);
        var take = Math.Min(destination.Length, _inBlock - at);
        _block.AsSpan(at, take).CopyTo(destination);
        _read += take;
        return take;
    }

    /// <summary>It is not needed any more.</summary>
    public void End()
    {
        lock (_block)
        {
            _isEnded = true;
            if (!_isWriting)
            {
                _file?.Dispose();
            }
        }
    }
}
