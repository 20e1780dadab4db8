using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Agent.Api;

/// <summary>
/// A conversation with the agent of a stack: one request at a time. An order goes on when the client goes away; only
/// <see cref="AgentVerbs.Watch"/> ends with it.
/// </summary>
public sealed class AgentClient : IAsyncDisposable, IDisposable
{
    private const int PermissionDenied = 13; // EACCES
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan SocketPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private readonly FrameStream _stream;
    private readonly string _stackFolder;

    private AgentClient(FrameStream stream, string stackFolder) => (_stream, _stackFolder) = (stream, stackFolder);

    /// <summary>Time for a sign of life of the agent: it need not be done by then, but must still answer questions.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Pid of the agent, as the kernel says.</summary>
    public int AgentPid => _stream.Peer.Pid;

    /// <summary>
    /// Connects to the agent of the stack in a folder; null if none runs. One that starts, or is just becoming another build, is
    /// waited for.
    /// </summary>
    /// <exception cref="AshlarException">
    /// ASH4027, ASH4004: the socket is there but may not be used. ASH4022: an agent has the stack, but not its socket.
    /// </exception>
    public static async Task<AgentClient?> FindAsync(string stackFolder, CancellationToken cancellation = default)
    {
        var state = StateFolder.Of(stackFolder);
        var began = Stopwatch.StartNew();
        while (true)
        {
            if (TryConnect(stackFolder) is { } client)
            {
                return client;
            }

            if (!AgentLock.IsHeld(state.LockFile))
            {
                return null;
            }

            // A new agent opens its socket when it has taken over what runs. An old one has had it: somebody has deleted the file.
            var holder = AgentLock.Holder(state.LockFile);
            var lost = !File.Exists(state.ApiSocket) && AgentProcess.AgeOf(holder) > StartPatience;
            if (began.Elapsed > (lost ? SocketPatience : StartPatience))
            {
                throw AgentErrors.DoesNotAnswer(stackFolder, holder, lost ? $"its socket {state.ApiSocket} is gone" : $"it does not listen on {state.ApiSocket}");
            }

            await Task.Delay(Between, cancellation);
        }
    }

    /// <summary>Connects to the agent of the stack in a folder; null if none answers now.</summary>
    /// <exception cref="AshlarException">ASH4004: the socket is there but may not be used.</exception>
    public static AgentClient? TryConnect(string stackFolder)
    {
        var state = StateFolder.Of(stackFolder);
        try
        {
            return File.Exists(state.ApiSocket) ? new AgentClient(FrameStream.Connect(state.ApiSocket), stackFolder) : null;
        }
        catch (IOException e) when (e.InnerException is Win32Exception { NativeErrorCode: PermissionDenied })
        {
            throw state.OfAnother(Ownership.OwnerOf(state.Path) ?? 0);
        }
        catch (UntrustedPeerException) when (Ownership.OwnerOf(state.Path) is { } owner && owner != SystemUsers.Current.Uid)
        {
            throw state.OfAnother(owner); // root trusts no socket that a user could have put there
        }
        catch (Exception e) when (e is UnauthorizedAccessException or UntrustedPeerException)
        {
            throw AgentErrors.StateFolderUnusable(state.Path, e.Message.TrimEnd('.'));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>
    /// Sends one request and gives the frames of its answer, the last of which is <c>done</c> or <c>error</c>. It may take as long as
    /// it takes, while the agent shows that it lives.
    /// </summary>
    /// <exception cref="AshlarException">ASH4020: the agent closed the connection. ASH4022: it does not answer any more.</exception>
    public async IAsyncEnumerable<AgentReply> SendAsync(
        string verb, JsonElement arguments, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await GuardAsync(verb, () => _stream.SendAsync(new AgentRequest(verb, arguments), AgentJson.Default.AgentRequest, cancellation));
        while (true)
        {
            var reply = await GuardAsync(verb, () => ReadAsync(cancellation)) ?? throw AgentErrors.ConnectionLost(verb);
            yield return reply;
            if (reply.Kind is AgentReplyKinds.Done or AgentReplyKinds.Error)
            {
                yield break;
            }
        }
    }

    /// <summary>Sends one request and waits for its end.</summary>
    /// <returns>The last data of the answer; null if it has none.</returns>
    /// <exception cref="AshlarException">The agent answers with an error, or closes the connection.</exception>
    public async Task<TResult?> CallAsync<TArguments, TResult>(
        string verb, TArguments arguments, Action<string>? progress = null, CancellationToken cancellation = default)
        where TResult : class
    {
        var type = (JsonTypeInfo<TArguments>)AgentJson.Default.GetTypeInfo(typeof(TArguments))!;
        return await CallAsync<TResult>(verb, JsonSerializer.SerializeToElement(arguments, type), progress, cancellation);
    }

    /// <summary>Sends one request and waits for its end.</summary>
    /// <inheritdoc cref="CallAsync{TArguments,TResult}"/>
    public async Task<TResult?> CallAsync<TResult>(
        string verb, JsonElement arguments, Action<string>? progress = null, CancellationToken cancellation = default)
        where TResult : class
    {
        JsonElement? data = null;
        await foreach (var reply in SendAsync(verb, arguments, cancellation))
        {
            data = reply.Data ?? data;
            if (reply.Kind == AgentReplyKinds.Progress)
            {
                progress?.Invoke(reply.Text);
            }
            else if (reply.Error is { } error)
            {
                throw new AshlarException(error);
            }
        }

        return data?.Deserialize((JsonTypeInfo<TResult>)AgentJson.Default.GetTypeInfo(typeof(TResult))!);
    }

    /// <summary>The state of the stack.</summary>
    public async Task<StatusReport> StatusAsync(CancellationToken cancellation = default) =>
        await CallAsync<StatusReport>(AgentVerbs.Status, AgentJson.Nothing, null, cancellation) ?? throw AgentErrors.ConnectionLost(AgentVerbs.Status);

    /// <summary>Completes when the agent's process has ended, which it does a moment after it has answered <c>down</c>.</summary>
    /// <exception cref="AshlarException">ASH4022: it does not end.</exception>
    public async Task EndedAsync(CancellationToken cancellation = default)
    {
        var began = Stopwatch.StartNew();
        while (AgentProcess.IsRunning(AgentPid))
        {
            if (began.Elapsed > StartPatience)
            {
                throw AgentErrors.DoesNotAnswer(_stackFolder, AgentPid, $"all is down, but it has not ended within {StartPatience.TotalSeconds:0} s");
            }

            await Task.Delay(Between, cancellation);
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public void Dispose() => _stream.Dispose();

    private async Task<AgentReply?> ReadAsync(CancellationToken cancellation)
    {
        var reading = _stream.ReadAsync(AgentJson.Default.AgentReply, cancellation).AsTask();
        while (await Task.WhenAny(reading, Task.Delay(Patience, cancellation)) != reading)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!await IsAliveAsync(cancellation) && !reading.IsCompleted)
            {
                _ = reading.ContinueWith(t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                throw AgentProcess.IsStopped(AgentPid)
                    ? AgentErrors.DoesNotAnswer(_stackFolder, AgentPid, "it is stopped (SIGSTOP, or a debugger)",
                        $"kill -CONT {AgentPid} lets it go on; else kill -9 {AgentPid}, then ashlar up: what it started goes on and is taken over.")
                    : AgentErrors.DoesNotAnswer(_stackFolder, AgentPid, $"it has said nothing for {Patience.TotalSeconds:0} s");
            }
        }

        return await reading;
    }

    // An order may take its time; a question on another connection is answered at once by an agent that works.
    private async Task<bool> IsAliveAsync(CancellationToken cancellation)
    {
        if (AgentProcess.IsStopped(AgentPid))
        {
            return false;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            using var stream = FrameStream.Connect(StateFolder.Of(_stackFolder).ApiSocket);
            await stream.SendAsync(new AgentRequest(AgentVerbs.Status, AgentJson.Nothing), AgentJson.Default.AgentRequest, patience.Token);
            return await stream.ReadAsync(AgentJson.Default.AgentReply, patience.Token) is not null;
        }
        catch (Exception e) when (e is IOException or UntrustedPeerException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return false;
        }
    }

    private static Task<bool> GuardAsync(string verb, Func<Task> talk) => GuardAsync(verb, async () =>
    {
        await talk();
        return true;
    });

    private static async Task<T> GuardAsync<T>(string verb, Func<Task<T>> talk)
    {
        try
        {
            return await talk();
        }
        catch (IOException e)
        {
            throw AgentErrors.ConnectionLost(verb, e);
        }
    }
}
