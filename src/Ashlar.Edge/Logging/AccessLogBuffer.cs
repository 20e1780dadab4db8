namespace Ashlar.Edge.Logging;

/// <summary>
/// A loop's door to the access log: formats into a buffer of its own and never blocks. The lock is held by its loop for the
/// time of one line, and five times a second by the writer for an exchange of two references.
/// </summary>
public sealed class AccessLogBuffer
{
    private readonly AccessLog _log;
    private readonly AccessClock _clock = new();
    private readonly Lock _gate = new();
    private AccessChunk? _chunk;

    internal AccessLogBuffer(AccessLog log) => _log = log;

    /// <summary>Writes a line for the request, or drops and counts it if the writer is behind.</summary>
    public void Write(in AccessRecord record)
    {
        lock (_gate)
        {
            if (_chunk is not null && _chunk.Free < AccessLine.MaxBytes)
            {
                _log.Full(_chunk);
                _chunk = null;
            }

            if (_chunk is null && (_chunk = _log.Rent()) is null)
            {
                _log.Dropped();
                return;
            }

            _chunk.Length += AccessLine.Write(_chunk.Bytes.AsSpan(_chunk.Length), record, _clock);
            _chunk.Lines++;
        }
    }

    /// <summary>What is there now, for the writer.</summary>
    internal AccessChunk? Take()
    {
        lock (_gate)
        {
            var chunk = _chunk;
            _chunk = null;
            return chunk;
        }
    }
}

/// <summary>Some whole lines.</summary>
internal sealed class AccessChunk
{
    public const int Size = 64 * 1024;

    public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(Size);

    public int Length { get; set; }

    public int Lines { get; set; }

    public int Free => Size - Length;
}
