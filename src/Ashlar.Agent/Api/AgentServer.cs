using System.Text.Json;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;

namespace Ashlar.Agent.Api;

/// <summary>Carries out one request, sending what there is to say as it goes.</summary>
/// <param name="request">The request.</param>
/// <param name="reply">Sends a frame; what the client does not take is dropped.</param>
/// <param name="clientGone">Cancelled when the client goes away: ends what only serves the client.</param>
internal delegate Task HandleRequest(AgentRequest request, Action<AgentReply> reply, CancellationToken clientGone);

/// <summary>The agent's API on its Unix socket. An order outlives the client that gave it.</summary>
internal sealed class AgentServer(FrameListener listener, HandleRequest handle, AgentLog log)
{
    // A client that takes nothing any more holds at most this many frames of ours.
    private const int MostWaitingReplies = 1000;
    private static readonly TimeSpan FinishPatience = TimeSpan.FromSeconds(2);
    private readonly HashSet<Task> _answering = [];

    /// <summary>Serves until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                var stream = await listener.AcceptAsync(cancellation);
                _ = ServeAsync(stream);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    /// <summary>Waits until what is being answered is answered, within a bound.</summary>
    public async Task FinishAsync()
    {
        Task[] answering;
        lock (_answering)
        {
            answering = [.. _answering];
        }

        await Task.WhenAny(Task.WhenAll(answering), Task.Delay(FinishPatience));
    }

    private async Task ServeAsync(FrameStream stream)
    {
        using var gone = new CancellationTokenSource();
        try
        {
            var next = await stream.ReadAsync(AgentJson.Default.AgentRequest);
            while (next is { } request)
            {
                // Reading on tells us when the client goes; a client sends its next request only after this one's answer.
                var reading = ReadNextAsync(stream, gone);
                var answer = AnswerAsync(stream, request, gone.Token);
                lock (_answering)
                {
                    _answering.RemoveWhere(t => t.IsCompleted);
                    _answering.Add(answer);
                }

                await answer;
                next = await reading;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
        }
        finally
        {
            stream.Dispose();
        }
    }

    private static async Task<AgentRequest?> ReadNextAsync(FrameStream stream, CancellationTokenSource gone)
    {
        try
        {
            var next = await stream.ReadAsync(AgentJson.Default.AgentRequest);
            if (next is null)
            {
                await gone.CancelAsync();
            }

            return next;
        }
        catch (IOException)
        {
            await gone.CancelAsync();
            return null;
        }
    }

    private async Task AnswerAsync(FrameStream stream, AgentRequest request, CancellationToken gone)
    {
        var replies = System.Threading.Channels.Channel.CreateBounded<AgentReply>(
            new System.Threading.Channels.BoundedChannelOptions(MostWaitingReplies)
            {
                FullMode = System.Threading.Channels.BoundedChannelFullMode.DropOldest,
            });
        var sending = SendAllAsync(stream, replies.Reader);
        AgentReply last;
        try
        {
            await handle(request, reply => replies.Writer.TryWrite(reply), gone);
            last = new AgentReply(AgentReplyKinds.Done);
        }
        catch (AshlarException e)
        {
            log.Warning(LogEvent.OrderFailed, $"{request.Verb}: {e.Error}");
            last = new AgentReply(AgentReplyKinds.Error, Error: e.Error);
        }
        catch (JsonException e)
        {
            last = new AgentReply(AgentReplyKinds.Error, Error: AgentErrors.BadRequest(request.Verb, e.Message).Error);
        }
        catch (OperationCanceledException)
        {
            last = new AgentReply(AgentReplyKinds.Error, Error: AgentErrors.TakenDown(request.Verb).Error);
        }
        catch (Exception e)
        {
            log.Error(LogEvent.Fault, request.Verb, e);
            last = new AgentReply(AgentReplyKinds.Error, Error: AgentErrors.Fault(request.Verb, e).Error);
        }

        replies.Writer.TryWrite(last);
        replies.Writer.Complete();
        await sending;
    }

    private static async Task SendAllAsync(FrameStream stream, System.Threading.Channels.ChannelReader<AgentReply> replies)
    {
        var open = true;
        await foreach (var reply in replies.ReadAllAsync())
        {
            if (!open)
            {
                continue;
            }

            try
            {
                await stream.SendAsync(reply, AgentJson.Default.AgentReply);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                open = false;
            }
        }
    }
}
