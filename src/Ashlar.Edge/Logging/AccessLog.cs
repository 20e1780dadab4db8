using System.Collections.Concurrent;
using System.Text;
using Ashlar.Errors;

namespace Ashlar.Edge.Logging;

/// <summary>
/// The access log: loops format into buffers of their own, one thread writes them to the file when they are full or 200 ms
/// old. Memory is bounded; when the disk does not keep up lines are dropped and counted, and the log says how many.
/// </summary>
public sealed class AccessLog : IDisposable
{
    private const int MaxChunks = 64;
    private static readonly TimeSpan _age = TimeSpan.FromMilliseconds(200);

    private readonly AppendFile _file;
    private readonly Action<AshlarError> _report;
    private readonly Action<long>? _tellDropped;
    private readonly ConcurrentQueue<AccessChunk> _full = new();
    private readonly ConcurrentQueue<AccessChunk> _free = new();
    private readonly ManualResetEventSlim _hasLines = new();
    private readonly AutoResetEvent _hasFull = new(false);
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _writer;
    private volatile AccessLogBuffer[] _buffers = [];
    private int _chunks;
    private long _dropped;
    private long _droppedTold;
    private long _droppedSaid;
    private bool _failing;

    /// <summary>Opens the log for appending and starts its writer.</summary>
    /// <param name="path">Path of the file; if it is moved away, a new one is made within a second of the next line.</param>
    /// <param name="report">Told when the file cannot be written (ASH3010), once until it can again.</param>
    /// <param name="dropped">Told how many lines have been dropped since the start, whenever that has changed; by the writer's thread.</param>
    public AccessLog(string path, Action<AshlarError> report, Action<long>? dropped = null)
    {
        _tellDropped = dropped;
        _file = new AppendFile(path);
        _report = report;
        _writer = new Thread(Run) { Name = "access-log", IsBackground = true };
        _writer.Start();
    }

    /// <summary>Lines dropped since the start, because the disk was slow, full or gone.</summary>
    public long DroppedLines => Volatile.Read(ref _dropped);

    /// <summary>A buffer for one loop.</summary>
    public AccessLogBuffer CreateBuffer()
    {
        var buffer = new AccessLogBuffer(this);
        lock (_free)
        {
            _buffers = [.. _buffers, buffer];
        }

        return buffer;
    }

    /// <summary>Writes what is there and closes the file.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _hasFull.Set();
        _writer.Join();
        _file.Dispose();
        _stop.Dispose();
        _hasFull.Dispose();
        _hasLines.Dispose();
    }

    internal AccessChunk? Rent()
    {
        if (!_free.TryDequeue(out var chunk))
        {
            if (Interlocked.Increment(ref _chunks) > MaxChunks)
            {
                Interlocked.Decrement(ref _chunks);
                return null;
            }

            chunk = new AccessChunk();
        }

        if (!_hasLines.IsSet)
        {
            _hasLines.Set();
        }

        return chunk;
    }

    internal void Full(AccessChunk chunk)
    {
        _full.Enqueue(chunk);
        _hasFull.Set();
    }

    internal void Dropped() => Interlocked.Increment(ref _dropped);

    // Without requests it sleeps: it wakes at the first line, and then gathers for 200 ms or until a buffer is full.
    private void Run()
    {
        try
        {
            while (true)
            {
                _hasLines.Wait(_stop.Token);
                if (_full.IsEmpty)
                {
                    _hasFull.WaitOne(_age);
                }

                _hasLines.Reset();
                WriteAll(gather: true);
            }
        }
        catch (OperationCanceledException)
        {
            WriteAll(gather: true);
        }
    }

    private void WriteAll(bool gather)
    {
        while (_full.TryDequeue(out var chunk))
        {
            Write(chunk);
        }

        if (gather)
        {
            foreach (var buffer in _buffers)
            {
                if (buffer.Take() is { } chunk)
                {
                    // Lines of one loop stay in order: what that loop filled up in between goes first.
                    WriteAll(gather: false);
                    Write(chunk);
                }
            }
        }

        SayDropped();
    }

    private void Write(AccessChunk chunk)
    {
        if (!Append(chunk.Bytes.AsSpan(0, chunk.Length)))
        {
            Interlocked.Add(ref _dropped, chunk.Lines);
        }

        chunk.Length = 0;
        chunk.Lines = 0;
        _free.Enqueue(chunk);
    }

    private bool Append(ReadOnlySpan<byte> lines)
    {
        try
        {
            _file.Append(lines);
            _failing = false;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_failing)
            {
                _failing = true;
                _report(EdgeErrors.AccessLogNotWritable(_file.Path, e.Message));
            }

            return false;
        }
    }

    private void SayDropped()
    {
        var dropped = DroppedLines;
        if (dropped != _droppedTold)
        {
            _droppedTold = dropped;
            _tellDropped?.Invoke(dropped);
        }

        if (dropped > _droppedSaid && !_failing)
        {
            var line = $"{{\"time\":\"{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ss.fffZ}\",\"dropped\":{dropped - _droppedSaid}}}\n";
            if (Append(Encoding.UTF8.GetBytes(line)))
            {
                _droppedSaid = dropped;
            }
        }
    }
}
