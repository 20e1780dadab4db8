using System.Text.Json;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;

namespace Ashlar.Agent.Api;

/// <summary>Carries out one request, sending what there is to say as it goes.</summary>
/// <param name="request">The request.</param>
/// <param name="reply">Sends a frame; what the client does not take is dropped.</param>
/// <param name="clientGone">Cancelled when the client goes away: ends what only serves the client.</param>
internal delegate Task HandleRequest(AgentRequest request, Action<AgentReply> reply, CancellationToken clientGone);

/// <summary>The agent's API on its Unix socket. An order outlives the client that gave it.</summary>
internal sealed class AgentServer : IDisposable
{
    // A client that takes nothing any more holds at most this many frames of ours.
    private const int MostWaitingReplies = 1000;
    private static readonly TimeSpan FinishPatience = TimeSpan.FromSeconds(2);
    private readonly string _path;
    private readonly HandleRequest _handle;
    private readonly AgentLog _log;
    private readonly uint? _trustedUser;
    private readonly HashSet<Task> _answering = [];
    private readonly Lock _lock = new();
    private readonly FileSystemWatcher? _watcher;
    private FrameListener _listener;
    private bool _ended;

    /// <summary>Listens and serves until disposed.</summary>
    /// <param name="path">Path of the socket.</param>
    /// <param name="handle">Carries out the requests.</param>
    /// <param name="log">Told of faults.</param>
    /// <param name="trustedUser">User that may ask besides our own and root.</param>
    /// <exception cref="AshlarException">ASH4054, ASH4055.</exception>
    public AgentServer(string path, HandleRequest handle, AgentLog log, uint? trustedUser = null)
    {
        (_path, _handle, _log, _trustedUser) = (path, handle, log, trustedUser);
        _listener = FrameListener.Listen(path, trustedUser);
        _ = AcceptAsync(_listener);
        _watcher = Watch();
        Look(); // it may have gone before it was watched
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

    /// <inheritdoc />
    public void Dispose()
    {
        _watcher?.Dispose();
        lock (_lock)
        {
            _ended = true;
            _listener.Dispose();
        }
    }

    /// <summary>Listens again if the socket's file is gone: people tidy up, and an agent that nobody reaches is none.</summary>
    private void Look()
    {
        lock (_lock)
        {
            if (_ended || _listener.IsReachable)
            {
                return;
            }

            try
            {
                var next = FrameListener.Listen(_path, _trustedUser);
                _listener.Dispose();
                _listener = next;
                _log.Warning(LogEvent.Listener, $"{_path} was removed and is there again");
                _ = AcceptAsync(next);
            }
            catch (Exception e) when (e is AshlarException or IOException or UnauthorizedAccessException)
            {
                _log.Error(LogEvent.Listener, _path, e);
            }
        }
    }

    private FileSystemWatcher? Watch()
    {
        try
        {
            var watcher = new FileSystemWatcher(Path.GetDirectoryName(_path)!, Path.GetFileName(_path)) { NotifyFilter = NotifyFilters.FileName };
            watcher.Deleted += (_, _) => Look();
            watcher.Renamed += (_, _) => Look();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            _log.Warning(LogEvent.Listener, $"{_path} is not watched: {e.Message}");
            return null;
        }
    }

    private async Task AcceptAsync(FrameListener listener)
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await listener.AcceptAsync());
            }
        }
        catch (ObjectDisposedException)
        {
        }
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
            await _handle(request, reply => replies.Writer.TryWrite(reply), gone);
            last = new AgentReply(AgentReplyKinds.Done);
        }
        catch (AshlarException e)
        {
            _log.Warning(LogEvent.OrderFailed, $"{request.Verb}: {e.Error}");
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
            _log.Error(LogEvent.Fault, request.Verb, e);
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
