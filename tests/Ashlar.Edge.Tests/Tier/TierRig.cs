using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Edge.Tier;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Tier;

/// <summary>An edge with everything real around it: the agent's end of the channel, listening sockets, apps.</summary>
internal sealed class TierRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempFolder _folder = new();
    private readonly MemoryStream _said = new();
    private readonly List<IDisposable> _mine = [];
    private long _revision = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    public TierRig()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "run"));
        Directory.CreateDirectory(Path.Combine(_folder.Path, "metrics"));
        Options = new EdgeOptions("edge.1", Path.Combine(_folder.Path, "run", "agent.channel"), _folder.Path, TimeSpan.FromSeconds(10));
    }

    public EdgeOptions Options { get; set; }

    public string Folder(string name) => Path.Combine(_folder.Path, name);

    public string Said => Encoding.UTF8.GetString(_said.ToArray());

    public EdgeProcess? Edge { get; private set; }

    public Task Running { get; private set; } = Task.CompletedTask;

    public void Start()
    {
        Edge = new EdgeProcess(Options, new TierLog("edge.1", _said));
        Running = Edge.RunAsync();
    }

    public ChannelServer Listen() => ChannelServer.Listen(Options.Channel);

    public T Keep<T>(T mine) where T : IDisposable
    {
        _mine.Add(mine);
        return mine;
    }

    public ListeningSocket OpenSocket(int port = 0) => Keep(ListeningSocket.Open(IPAddress.Loopback, port, "edge.listen.http"));

    /// <summary>An agent that has met the edge, handed it the socket, and seen it apply the services.</summary>
    public async Task<ChannelConnection> MeetAsync(ChannelServer server, ListeningSocket socket, params CatalogService[] services)
    {
        var agent = await AcceptAsync(server);
        await MeetOnAsync(agent, socket, services);
        return agent;
    }

    /// <summary>The agent hands down the socket, and sees the services applied.</summary>
    public async Task MeetOnAsync(ChannelConnection agent, ListeningSocket socket, params CatalogService[] services)
    {
        await HandDownAsync(agent, socket);
        await PublishAsync(agent, socket, services);
    }

    public async Task<ChannelConnection> AcceptAsync(ChannelServer server) => Keep(await server.AcceptAsync().AsTask().WaitAsync(Patience));

    public static Task HandDownAsync(ChannelConnection agent, ListeningSocket socket) =>
        agent.SendDescriptorsAsync(["http"], [socket.Descriptor]).WaitAsync(Patience);

    public async Task PublishAsync(ChannelConnection agent, ListeningSocket? socket, params CatalogService[] services)
    {
        var snapshot = Snapshot(socket, services);
        await agent.SendSnapshotAsync(snapshot).WaitAsync(Patience);
        await FactAsync(agent, fact => fact.Kind == FactKinds.Applied && fact.Number >= snapshot.Revision);
    }

    public CatalogSnapshot Snapshot(ListeningSocket? socket, params CatalogService[] services) => Rig.Snapshot(++_revision, services) with
    {
        Listeners = socket is null ? [] : [new CatalogListener("http", "127.0.0.1", socket.Port, null)],
    };

    public static async Task<Fact> FactAsync(ChannelConnection agent, Func<Fact, bool> wanted)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var fact = await agent.Facts.ReadAsync(patience.Token);
            if (wanted(fact))
            {
                return fact;
            }
        }
    }

    /// <summary>A service whose one instance answers every request with its own id.</summary>
    public CatalogService App(string id, InstanceState state = InstanceState.Healthy)
    {
        var app = Keep(new HelloApp(id));
        return Rig.Service(id.Split('.')[0], Rig.Instance(id, state, app.Port)).Routed("/");
    }

    /// <summary>What the edge answers on a connection of its own.</summary>
    public static async Task<string> GetAsync(int port, string path = "/", string fields = "")
    {
        using var client = new TcpClient();
        using var patience = new CancellationTokenSource(Patience);
        await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n"), patience.Token);
        return await new StreamReader(stream).ReadToEndAsync(patience.Token);
    }

    /// <summary>Ends the edge at once, as the end of its process does.</summary>
    public async Task EndAsync()
    {
        if (Edge is { } edge)
        {
            Edge = null;
            edge.Stop(TimeSpan.Zero);
            edge.Stop(TimeSpan.Zero);
            await Running.WaitAsync(Patience);
            await edge.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _mine.ForEach(mine => mine.Dispose());
        _folder.Dispose();
    }
}

/// <summary>The smallest app: answers each connection once with its id, when allowed to.</summary>
internal sealed class HelloApp : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _id;

    public HelloApp(string id)
    {
        _id = id;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Completed while it answers at once.</summary>
    public TaskCompletionSource Gate { get; set; } = Opened();

    /// <summary>Completed when a request has come.</summary>
    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _listener.Dispose();

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        gate.SetResult();
        return gate;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            var buffer = new byte[4096];
            if (await client.GetStream().ReadAsync(buffer) > 0)
            {
                Asked.TrySetResult();
                await Gate.Task;
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {_id.Length}\r\nConnection: close\r\n\r\n{_id}"));
            }
        }
    }
}
