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

    /// <summary>All spools together have what they may have.</summary>
    NoRoom,
}

/// <summary>
/// A chunked body, kept until its length is known, because a script is told the length before the body: up to a block in memory, what is
/// more in a file without a name. It takes room as the body comes, so that one that does not come takes none.
/// </summary>
#pragma warning disable CA1001 // it may have to outlive who ends it, until a write is over: see End
internal sealed class RequestSpool(HttpLimits limits, long mostBytes, SpoolRoom room)
#pragma warning restore CA1001
{
    private const int SmallestBlock = 4 * 1024;
    private const int LargestBlock = 256 * 1024;

    private readonly Lock _gate = new();
    private byte[] _block = [];
    private ChunkedDecoder _decoder = new(limits);
    private FileStream? _file;
    private int _inBlock;
    private long _inFile;
    private long _fileRoom;
    private long _read;
    private bool _isWriting;
    private bool _isEnded;

    /// <summary>Bytes of the body.</summary>
    public long Length { get; private set; }

    /// <summary>Why the body is refused.</summary>
    public HttpProblem? Problem => _decoder.Problem;

    /// <summary>True: the last <see cref="WriteOut"/> has done its work.</summary>
    public bool IsWrittenOut => _inBlock == 0;

    /// <summary>Takes what was received of the body.</summary>
    public SpoolStatus Take(PooledBuffer received)
    {
        var isTight = false;
        while (true)
        {
            if ((isTight || _inBlock == _block.Length) && MakeRoom() is { } status)
            {
                return status;
            }

            // No more is decoded than has room.
            var data = received.Data;
            var window = data[..Math.Min(data.Length, _block.Length - _inBlock)];
            var found = _decoder.Read(window, out var consumed, out var piece);
            if (found == ChunkedStatus.Data)
            {
                piece.Of(window).CopyTo(_block.AsSpan(_inBlock));
                _inBlock += piece.Length;
                Length += piece.Length;
            }

            received.Start += consumed;
            switch (found)
            {
                case ChunkedStatus.NeedMore when window.Length == data.Length:
                    return SpoolStatus.NeedMore;
                case ChunkedStatus.Done:
                    return SpoolStatus.Done;
                case ChunkedStatus.Bad:
                    return SpoolStatus.Bad;
            }

            if (Length > mostBytes)
            {
                return SpoolStatus.TooLarge;
            }

            isTight = found == ChunkedStatus.NeedMore && consumed == 0;
        }
    }

    /// <summary>Writes the full block to the file. Off the loop, which keeps its hands off meanwhile.</summary>
    /// <exception cref="IOException">There is no room.</exception>
    public void WriteOut()
    {
        lock (_gate)
        {
            _isWriting = !_isEnded;
        }

        if (!_isWriting)
        {
            return;
        }

        try
        {
            _file ??= CreateFile();
            _file.Write(_block, 0, _inBlock);
            _inFile += _inBlock;
            _inBlock = 0;
        }
        finally
        {
            lock (_gate)
            {
                _isWriting = false;
                if (_isEnded)
                {
                    LetGo();
                }
            }
        }
    }

    /// <summary>Begins to read it, once more if need be.</summary>
    public void Rewind() => _read = 0;

    /// <summary>Reads on; what was written to the file a moment ago is in memory still. 0: that was all.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public int Read(Span<byte> destination)
    {
        if (_read < _inFile)
        {
            var fromFile = RandomAccess.Read(_file!.SafeFileHandle, destination, _read);
            _read += fromFile;
            return fromFile;
        }

        var at = (int)(_read - _inFile);
        var take = Math.Min(destination.Length, _inBlock - at);
        _block.AsSpan(at, take).CopyTo(destination);
        _read += take;
        return take;
    }

    /// <summary>It is not needed any more: gives back what it has, once a write that is under way is over.</summary>
    public void End()
    {
        lock (_gate)
        {
            _isEnded = true;
            if (!_isWriting)
            {
                LetGo();
            }
        }
    }

    // Null: there is room.
    private SpoolStatus? MakeRoom()
    {
        if (_block.Length == LargestBlock)
        {
            if (!room.Files.TryTake(_inBlock))
            {
                return SpoolStatus.NoRoom;
            }

            _fileRoom += _inBlock;
            return SpoolStatus.Full;
        }

        var length = Math.Max(SmallestBlock, 4 * _block.Length);
        if (!room.Memory.TryTake(length - _block.Length))
        {
            return SpoolStatus.NoRoom;
        }

        Array.Resize(ref _block, length);
        return null;
    }

    private void LetGo()
    {
        _file?.Dispose();
        room.Files.GiveBack(_fileRoom);
        room.Memory.GiveBack(_block.Length);
        (_block, _fileRoom) = ([], 0);
    }

    // For nobody else to read, and gone with the process however that ends.
    private static FileStream CreateFile()
    {
        var path = Path.Combine(Path.GetTempPath(), $"ashlar-body-{Guid.NewGuid():N}");
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path);
        return file;
    }
}
