using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Edge.Web;
using Ashlar.Stack;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>
/// Takes the edge's connections, each on a thread of its own: a request costs a process anyway, and a thread that waits with poll(2) for all that
/// concerns its one request needs no lock.
/// </summary>
internal sealed class CgiServer : IDisposable
{
    private const int MostConnections = 1024;
    private const int ThreadStack = 256 * 1024;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly Socket _listener;
    private readonly FileRoot? _root;
    private readonly string _folder;
    private readonly ScriptVariables _variables;
    private readonly SemaphoreSlim _processes;
    private readonly SemaphoreSlim _connectionsFree = new(MostConnections);
    private readonly ConcurrentDictionary<CgiConnection, bool> _connections = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _stops;

    /// <param name="options">What it was told.</param>
    /// <param name="folder">Folder of the service.</param>
    /// <param name="environment">Environment of the service.</param>
    /// <param name="say">Takes a line for the service's log.</param>
    /// <exception cref="Errors.AshlarException">ASH3077: there is no folder with scripts; ASH3078: it cannot listen.</exception>
    public CgiServer(CgiOptions options, string folder, IEnumerable<KeyValuePair<string, string>> environment, Action<string> say)
    {
        Options = options;
        Say = say;
        _folder = folder;
        _variables = new ScriptVariables(environment);
        _processes = new SemaphoreSlim(options.Processes);
        if (options.Root is { } root)
        {
            var path = Path.Combine(folder, root);
            _root = FileRoot.Open(path) ?? throw EdgeErrors.NoScripts(path);
        }

        _listener = Listen(options.EndPoint);
        new Thread(Accept, ThreadStack) { IsBackground = true, Name = "accept" }.Start();
    }

    /// <summary>What it was told.</summary>
    public CgiOptions Options { get; }

    /// <summary>Takes a line for the service's log.</summary>
    public Action<string> Say { get; }

    /// <summary>Completes when a stop has come to its end.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Where it listens.</summary>
    public EndPoint EndPoint => _listener.LocalEndPoint!;

    /// <summary>True: no further request is taken.</summary>
    public bool IsStopping => Volatile.Read(ref _stops) > 0;

    /// <summary>Environment of a script; null: the request's variables are malformed.</summary>
    public List<byte[]>? VariablesFor(ReadOnlySpan<byte> pairs, out RequestFacts facts) => _variables.For(pairs, out facts);

    /// <summary>What is run for a request, and in which folder. Null: there is no such script.</summary>
    public (string[] Command, string Folder)? Find(string? script)
    {
        if (_root is not null)
        {
            // The edge has found it, but whoever reaches our port may name any file.
            var name = script is not null && script.StartsWith(Encoding.UTF8.GetString(_root.Path) + "/", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(script).AsSpan(_root.Path.Length) : default;
            if (name.IsEmpty || script!.Split('/').Contains("..") || FileRoot.HasHidden(name) || _root.Look(name, out _) != FileKind.File)
            {
                return null;
            }
        }

        return Options.Run is { } run ? ([.. ShellCommand.ToArguments(run)], _folder) : ([script!], Path.GetDirectoryName(script!)!);
    }

    /// <summary>Waits for leave to start a process. False: none has ended for too long.</summary>
    public bool TakeProcess() => _processes.Wait(_patience);

    /// <summary>Another may start one.</summary>
    public void GiveBackProcess() => _processes.Release();

    /// <summary>Takes no more; ends when what is under way has ended, called again at once.</summary>
    public void Stop()
    {
        if (Interlocked.Increment(ref _stops) > 1)
        {
            _ended.TrySetResult();
            return;
        }

        _listener.Dispose();
        foreach (var (connection, _) in _connections)
        {
            connection.CloseIfIdle();
        }

        EndIfQuiet();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _listener.Dispose();
        if (Options.EndPoint is UnixDomainSocketEndPoint path)
        {
            File.Delete(path.ToString());
        }
    }

    private void Accept()
    {
        while (!IsStopping)
        {
            _connectionsFree.Wait();
            Socket socket;
            try
            {
                socket = _listener.Accept();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                _connectionsFree.Release();
                if (e is SocketException && !IsStopping)
                {
                    // Out of descriptors, mostly: those that end give some back.
                    Thread.Sleep(100);
                }

                continue;
            }

            var connection = new CgiConnection(socket, this);
            _connections[connection] = true;
            new Thread(() => Serve(connection), ThreadStack) { IsBackground = true, Name = "request" }.Start();
        }
    }

    private void Serve(CgiConnection connection)
    {
        try
        {
            connection.Run();
        }
        catch (Exception e)
        {
            Say($"a request ends: {e}");
        }
        finally
        {
            connection.Dispose();
            _connections.TryRemove(connection, out _);
            _connectionsFree.Release();
            EndIfQuiet();
        }
    }

    private void EndIfQuiet()
    {
        if (IsStopping && _connections.IsEmpty)
        {
            _ended.TrySetResult();
        }
    }

    private static Socket Listen(EndPoint endPoint)
    {
        const int Backlog = 512;
        var socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw EdgeErrors.CgiCannotListen(endPoint.ToString()!, e.Message);
        }
    }
}
