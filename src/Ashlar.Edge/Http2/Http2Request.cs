using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Ashlar.Edge.Forwarding;
using Ashlar.Http.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ashlar.Edge.Http2;

/// <summary>
/// One request of HTTP/2: given to an exchange as a client's connection of its own, whose bytes never leave the process, and the answer
/// given back frame by frame as it comes.
/// </summary>
/// <param name="features">What Kestrel knows of it.</param>
/// <param name="patience">How long a client may take nothing of what waits for it.</param>
internal sealed class Http2Request(IFeatureCollection features, TimeSpan patience)
{
    // RFC 9113 section 7.
    private const int ProtocolError = 1;
    private const int InternalError = 2;
    private const int LargestPiece = 16 * 1024;

    private static readonly PipeOptions _pipe = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool, pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024,
        useSynchronizationContext: false);

    // Who waits for the answer continues on a thread of the pool: the loop has written it.
    private static readonly PipeOptions _answerPipe = new(
        readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024,
        useSynchronizationContext: false);

    /// <summary>Serves it to its end.</summary>
    public async Task ServeAsync()
    {
        var connection = features.GetRequiredFeature<Http2Connection>();
        var request = features.GetRequiredFeature<IHttpRequestFeature>();
        var extended = features.Get<IHttpExtendedConnectFeature>();
        var isWebSocket = extended is { IsExtendedConnect: true, Protocol: "websocket" };
        var hasBody = !isWebSocket && features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true };
        var (there, back) = (new Pipe(_pipe), new Pipe(_answerPipe));
        if (!RequestText.TryWrite(there.Writer, request.Method, request.RawTarget, request.Headers, hasBody, isWebSocket, out var isChunked))
        {
            Reset(ProtocolError);
            return;
        }

        var client = new ClientConnection(connection.Client, new Ends(there.Reader, back.Writer));
        var loop = client.Loop;
        await there.Writer.FlushAsync().ConfigureAwait(false);
        loop.Post(client.Begin);
        var lifetime = features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        var sending = Task.CompletedTask;
        var body = hasBody ? features.Get<IRequestBodyPipeFeature>()?.Reader : null;
        await using (lifetime.RequestAborted.UnsafeRegister(static state => ((ClientConnection)state!).LoseSoon(), client))
        {
            try
            {
                if (body is not null)
                {
                    sending = SendAsync(body, there.Writer, isChunked, client);
                }

                var isHead = request.Method == "HEAD";
                await AnswerAsync(back.Reader, isHead, extended, isWebSocket, there.Writer).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException or TimeoutException or ArgumentOutOfRangeException)
            {
                // Kestrel says the last of these where the stream was reset meanwhile.
                // The edge or the client has broken it off: the client must not take what it has for all.
                client.LoseSoon();
                Reset(InternalError);
            }
            finally
            {
                body?.CancelPendingRead();
                await sending.ConfigureAwait(false);
                await there.Writer.CompleteAsync().ConfigureAwait(false);
                await back.Reader.CompleteAsync().ConfigureAwait(false);
            }
        }
    }

    private static async Task SendAsync(PipeReader from, PipeWriter to, bool isChunked, ClientConnection client)
    {
        try
        {
            while (true)
            {
                var read = await from.ReadAsync().ConfigureAwait(false);
                foreach (var piece in read.Buffer)
                {
                    Write(to, piece.Span, isChunked);
                }

                from.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted && isChunked)
                {
                    to.Write("0\r\n\r\n"u8);
                }

                if ((await to.FlushAsync().ConfigureAwait(false)).IsCompleted || read.IsCompleted || read.IsCanceled)
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            // Reset by the client in the midst of its body: the instance must not take what it got for all of it.
            client.LoseSoon();
        }
    }

    private static void Write(PipeWriter to, ReadOnlySpan<byte> data, bool isChunked)
    {
        if (!isChunked)
        {
            to.Write(data);
        }
        else if (data.Length > 0)
        {
            to.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{data.Length:x}\r\n")));
            to.Write(data);
            to.Write("\r\n"u8);
        }
    }

    private async Task AnswerAsync(PipeReader from, bool isHead, IHttpExtendedConnectFeature? extended, bool isWebSocket, PipeWriter to)
    {
        var head = new ResponseHead();
        while (true)
        {
            var read = await from.ReadAsync().ConfigureAwait(false);
            var status = Parse(head, read.Buffer, isHead, isWebSocket, out var consumed);
            from.AdvanceTo(read.Buffer.GetPosition(consumed), status == ParseStatus.NeedMore ? read.Buffer.End : read.Buffer.GetPosition(consumed));
            if (status == ParseStatus.Bad || (status == ParseStatus.NeedMore && read.IsCompleted))
            {
                throw new IOException("The answer has no head.");
            }

            if (status == ParseStatus.Done && !head.IsInterim)
            {
                break;
            }

            if (status == ParseStatus.Done)
            {
                head.Reset();
            }
        }

        if (isWebSocket && head.Status == 101)
        {
            await TunnelAsync(from, to, await extended!.AcceptAsync().ConfigureAwait(false)).ConfigureAwait(false);
            return;
        }

        var response = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await response.StartAsync().ConfigureAwait(false);
        switch (head.Body)
        {
            case BodyFraming.Length:
                await CopyAsync(from, response.Writer, head.ContentLength).ConfigureAwait(false);
                break;
            case BodyFraming.Chunked:
                await DecodeAsync(from, response.Writer).ConfigureAwait(false);
                break;
            case BodyFraming.UntilClose:
                await CopyAsync(from, response.Writer, long.MaxValue).ConfigureAwait(false);
                break;
        }

        await response.CompleteAsync().ConfigureAwait(false);
    }

    private ParseStatus Parse(ResponseHead head, in ReadOnlySequence<byte> buffer, bool isHead, bool isWebSocket, out int consumed)
    {
        var bytes = buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
        var status = head.Parse(bytes, HttpLimits.Default, isHead ? KnownMethod.Head : KnownMethod.Get, upgradeAsked: isWebSocket);
        consumed = status == ParseStatus.Done ? head.Consumed : 0;
        if (status == ParseStatus.Done && !head.IsInterim)
        {
            Give(head, bytes);
        }

        return status;
    }

    private void Give(ResponseHead head, ReadOnlySpan<byte> bytes)
    {
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        response.StatusCode = head.Status == 101 ? 200 : head.Status;
        foreach (ref readonly var field in head.Fields)
        {
            var name = Encoding.ASCII.GetString(bytes.Slice(field.NameStart, field.NameLength));
            if (!IsOfConnection(name))
            {
                var value = Encoding.Latin1.GetString(bytes.Slice(field.ValueStart, field.ValueLength));
                response.Headers[name] = Microsoft.Extensions.Primitives.StringValues.Concat(response.Headers[name], value);
            }
        }
    }

    private static bool IsOfConnection(string name) =>
        name.ToLowerInvariant() is "connection" or "keep-alive" or "proxy-connection" or "transfer-encoding" or "upgrade" or "sec-websocket-accept";

    private async Task CopyAsync(PipeReader from, PipeWriter to, long length)
    {
        while (length > 0)
        {
            var read = await from.ReadAsync().ConfigureAwait(false);
            var piece = read.Buffer.Slice(0, Math.Min(Math.Min(length, LargestPiece), read.Buffer.Length));
            foreach (var memory in piece)
            {
                to.Write(memory.Span);
            }

            // The edge is told that there is room only once the client has taken this: what waits for a client is then one piece and a pipe.
            var (taken, isEnd) = (piece.Length, read.IsCompleted && piece.IsEmpty);
            if (taken > 0)
            {
                await FlushAsync(to).ConfigureAwait(false);
            }

            length -= taken;
            from.AdvanceTo(piece.End);
            if (isEnd)
            {
                if (length == long.MaxValue || length > long.MaxValue / 2)
                {
                    return;
                }

                throw new IOException("The answer is cut short.");
            }
        }
    }

    // A client that takes nothing is waited for, and then not.
    private async ValueTask FlushAsync(PipeWriter to)
    {
        var flushing = to.FlushAsync();
        var flushed = flushing.IsCompleted ? await flushing.ConfigureAwait(false) : await flushing.AsTask().WaitAsync(patience).ConfigureAwait(false);
        if (flushed.IsCompleted)
        {
            throw new IOException("The client has gone.");
        }
    }

    private async Task DecodeAsync(PipeReader from, PipeWriter to)
    {
        var decoder = new ChunkedDecoder(HttpLimits.Default);
        while (true)
        {
            var read = await from.ReadAsync().ConfigureAwait(false);
            var status = Decode(ref decoder, read.Buffer, to, out var consumed, out var hasData);
            if (hasData)
            {
                await FlushAsync(to).ConfigureAwait(false);
            }

            from.AdvanceTo(read.Buffer.GetPosition(consumed), read.Buffer.End);
            if (status == ChunkedStatus.Done)
            {
                return;
            }

            if (status == ChunkedStatus.Bad || read.IsCompleted)
            {
                throw new IOException("The answer is cut short.");
            }
        }
    }

    private ChunkedStatus Decode(ref ChunkedDecoder decoder, in ReadOnlySequence<byte> buffer, PipeWriter to, out long consumed, out bool hasData)
    {
        consumed = 0;
        hasData = false;
        var bytes = buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
        while (true)
        {
            var status = decoder.Read(bytes[(int)consumed..], out var used, out var found);
            var piece = bytes.Slice((int)consumed + found.Start, found.Length);
            consumed += used;
            switch (status)
            {
                case ChunkedStatus.Data:
                    to.Write(piece);
                    hasData = true;
                    break;
                case ChunkedStatus.Trailer:
                    AddTrailer(Encoding.Latin1.GetString(piece));
                    break;
                default:
                    return status;
            }
        }
    }

    private void AddTrailer(string line)
    {
        if (features.Get<IHttpResponseTrailersFeature>() is { } trailers && line.IndexOf(':') is > 0 and var colon)
        {
            trailers.Trailers.Append(line[..colon], line[(colon + 1)..].Trim());
        }
    }

    private static async Task TunnelAsync(PipeReader from, PipeWriter to, Stream client)
    {
        var toInstance = ToInstanceAsync();
        await from.CopyToAsync(client).ConfigureAwait(false);
        await client.DisposeAsync().ConfigureAwait(false);
        await toInstance.ConfigureAwait(false);

        async Task ToInstanceAsync()
        {
            try
            {
                await client.CopyToAsync(to).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                // The other direction tells.
            }

            await to.CompleteAsync().ConfigureAwait(false);
        }
    }

    private void Reset(int code)
    {
        try
        {
            features.Get<IHttpResetFeature>()?.Reset(code);
        }
        catch (ObjectDisposedException)
        {
            // It is over already.
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
