using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Ashlar.Edge.Forwarding;
using Ashlar.Http.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

#pragma warning disable CA2012 // each is awaited once: its continuation runs on the loop, and takes its result there

namespace Ashlar.Edge.Http2;

/// <summary>
/// A client's connection that speaks HTTP/2, between the loop that has its socket and Kestrel that has its frames. Bytes are moved on the
/// loop; both directions are bounded.
/// </summary>
internal sealed class Http2Connection : ConnectionContext
{
    private const int LeastRoom = 2048;
    private static readonly PipeOptions _inbound = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 128 * 1024, resumeWriterThreshold: 64 * 1024,
        minimumSegmentSize: 16 * 1024, useSynchronizationContext: false);

    private static readonly PipeOptions _outbound = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool, pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024,
        useSynchronizationContext: false);

    private readonly Pipe _in = new(_inbound);
    private readonly Pipe _out = new(_outbound);
    private readonly Action _advance;
    private ValueTaskAwaiter<FlushResult> _taking;
    private ValueTaskAwaiter<ReadResult> _coming;
    private bool _isFull;
    private bool _isInputOver;
    private bool _isComing;
    private bool _isClosed;

    public Http2Connection(ClientConnection client)
    {
        Client = client;
        Transport = new Ends(_in.Reader, _out.Writer);
        Features.Set(this);
        _advance = () => Client.Loop.Post(Client.Advance);
    }

    /// <summary>The client.</summary>
    public ClientConnection Client { get; }

    public override string ConnectionId { get; set; } = CorrelationId();

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    /// <summary>Moves what can be moved. On the loop.</summary>
    public void Advance()
    {
        Receive();
        Send();
    }

    /// <summary>The client's socket is closed. On the loop.</summary>
    public void Closed()
    {
        _isClosed = true;
        EndInput(new ConnectionResetException("The client's connection is closed."));
        _out.Reader.Complete();
    }

    /// <summary>
    /// Tells the client to ask for nothing more here, once what it has on its way has had time to come (RFC 9113 section 6.8): what comes
    /// later it may send again.
    /// </summary>
    public async Task DrainAsync(TimeSpan grace)
    {
        await Task.Delay(grace).ConfigureAwait(false);
        while (!_isClosed)
        {
            if (Features.Get<IConnectionLifetimeNotificationFeature>() is { } lifetime)
            {
                lifetime.RequestClose();
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100)).ConfigureAwait(false);
        }
    }

    public override void Abort(ConnectionAbortedException abortReason) => Client.Loop.Post(Client.Abort);

    public override ValueTask DisposeAsync()
    {
        _out.Writer.Complete();
        Client.Loop.Post(Client.Advance);
        return base.DisposeAsync();
    }

    private void Receive()
    {
        if (_isFull)
        {
            if (!_taking.IsCompleted)
            {
                return;
            }

            _isFull = false;
            _isInputOver |= _taking.GetResult().IsCompleted;
        }

        while (Client.IsOpen && Client.CanReceive)
        {
            if (_isInputOver)
            {
                return;
            }

            var received = Client.Receive(_in.Writer.GetSpan(LeastRoom));
            if (received == SocketResult.WouldBlock)
            {
                return;
            }

            if (received <= 0)
            {
                EndInput(received == SocketResult.Closed ? null : new ConnectionResetException("The client's connection is broken."));
                return;
            }

            _in.Writer.Advance(received);
            _taking = _in.Writer.FlushAsync().GetAwaiter();
            if (!_taking.IsCompleted)
            {
                _isFull = true;
                _taking.UnsafeOnCompleted(_advance);
                return;
            }

            _isInputOver |= _taking.GetResult().IsCompleted;
        }
    }

    private void Send()
    {
        if (_isComing)
        {
            if (!_coming.IsCompleted)
            {
                return;
            }

            _isComing = false;
            _out.Reader.AdvanceTo(_coming.GetResult().Buffer.Start);
        }

        while (Client.IsOpen && Client.CanSend)
        {
            if (!_out.Reader.TryRead(out var read))
            {
                Await();
                return;
            }

            var sent = Send(read.Buffer);
            if (sent < 0)
            {
                Client.Abort();
                return;
            }

            var isAll = sent == read.Buffer.Length;
            _out.Reader.AdvanceTo(read.Buffer.GetPosition(sent));
            if (isAll && read.IsCompleted)
            {
                Client.EndHttp2();
                return;
            }

            if (isAll)
            {
                Await();
                return;
            }
        }
    }

    // Bytes sent; -1: the connection is broken.
    private long Send(in ReadOnlySequence<byte> bytes)
    {
        long total = 0;
        foreach (var piece in bytes)
        {
            for (var left = piece.Span; left.Length > 0;)
            {
                var sent = Client.CanSend ? Client.Send(left) : SocketResult.WouldBlock;
                if (sent == SocketResult.WouldBlock)
                {
                    return total;
                }

                if (sent < 0)
                {
                    return -1;
                }

                total += sent;
                left = left[sent..];
            }
        }

        return total;
    }

    private void Await()
    {
        _isComing = true;
        _coming = _out.Reader.ReadAsync().GetAwaiter();
        _coming.UnsafeOnCompleted(_advance);
    }

    private void EndInput(Exception? reason)
    {
        if (!_isInputOver)
        {
            _isInputOver = true;
            _in.Writer.Complete(reason);
        }
    }

    private static string CorrelationId() => Guid.NewGuid().ToString("N");

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
