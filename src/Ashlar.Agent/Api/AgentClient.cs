using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;

namespace Ashlar.Agent.Api;

/// <summary>
/// A conversation with the agent of a stack: one request at a time. An order goes on when the client goes away; only
/// <see cref="AgentVerbs.Watch"/> ends with it.
/// </summary>
public sealed class AgentClient : IAsyncDisposable
{
    private const int PermissionDenied = 13; // EACCES
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private readonly FrameStream _stream;

    private AgentClient(FrameStream stream) => _stream = stream;

    /// <summary>Pid of the agent, as the kernel says.</summary>
    public int AgentPid => _stream.Peer.Pid;

    /// <summary>
    /// Connects to the agent of the stack in a folder; null if none runs. One that starts, or is just becoming another build, is
    /// waited for.
    /// </summary>
    /// <exception cref="AshlarException">ASH4004: the socket is there but may not be used.</exception>
    public static async Task<AgentClient?> FindAsync(string stackFolder, CancellationToken cancellation = default)
    {
        var began = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            if (TryConnect(stackFolder) is { } client)
            {
                return client;
            }

            if (began.Elapsed > StartPatience || !AgentLock.IsHeld(StateFolder.Of(stackFolder).LockFile))
            {
                return null;
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
            return File.Exists(state.ApiSocket) ? new AgentClient(FrameStream.Connect(state.ApiSocket)) : null;
        }
        catch (IOException e) when (e.InnerException is Win32Exception { NativeErrorCode: PermissionDenied })
        {
            throw AgentErrors.StateFolderUnusable(state.Path, "the stack runs as another user, whose agent answers only that user and root");
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

    /// <summary>Connects to the agent of the stack in a folder.</summary>
    /// <exception cref="AshlarException">ASH4001: none runs.</exception>
    public static async Task<AgentClient> ConnectAsync(string stackFolder, CancellationToken cancellation = default) =>
        await FindAsync(stackFolder, cancellation) ?? throw AgentErrors.NotRunning(stackFolder);

    /// <summary>Sends one request and gives the frames of its answer, the last of which is <c>done</c> or <c>error</c>.</summary>
    /// <exception cref="AshlarException">ASH4020: the agent closed the connection.</exception>
    public async IAsyncEnumerable<AgentReply> SendAsync(
        string verb, JsonElement arguments, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await GuardAsync(verb, () => _stream.SendAsync(new AgentRequest(verb, arguments), AgentJson.Default.AgentRequest, cancellation));
        while (true)
        {
            var reply = await GuardAsync(verb, () => _stream.ReadAsync(AgentJson.Default.AgentReply, cancellation).AsTask())
                ?? throw AgentErrors.ConnectionLost(verb);
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

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _stream.Dispose();
        return ValueTask.CompletedTask;
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
