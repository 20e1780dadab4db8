using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Ashlar.Http.Transport;

namespace Ashlar.Http.Tests.Transport;

public sealed class EventLoopTests : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);
    private readonly ConcurrentQueue<Exception> _faults = [];
    private readonly EventLoopGroup _group;

    public EventLoopTests() => _group = new EventLoopGroup(2, _faults.Enqueue);

    public void Dispose() => _group.DisposeAsync().AsTask().Wait(_bound);

    [Fact]
    public async Task What_many_threads_post_runs_on_the_loop_once_each()
    {
        var loop = _group.Loops[0];
        var ran = 0;
        var elsewhere = 0;
        var all = new TaskCompletionSource();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++)
            {
                loop.Post(() =>
                {
                    elsewhere += loop.IsCurrent ? 0 : 1;
                    if (++ran == 40_000)
                    {
                        all.SetResult();
                    }
                });
            }
        })));

        await all.Task.WaitAsync(_bound);
        Assert.Equal(0, elsewhere);
    }

    [Fact]
    public async Task An_exception_is_told_and_the_loop_goes_on()
    {
        var done = new TaskCompletionSource();
        _group.Loops[0].Post(() => throw new InvalidOperationException("defect"));
        _group.Loops[0].Post(done.SetResult);

        await done.Task.WaitAsync(_bound);
        Assert.Equal("defect", Assert.Single(_faults).Message);
    }

    [Fact]
    public async Task A_defect_of_one_connection_resets_it_and_leaves_the_others()
    {
        using var listener = Listen();
        await _group.ListenAsync((int)listener.Handle, new EchoAcceptor(), "tag");
        using var good = await ConnectAsync(listener);
        using var bad = await ConnectAsync(listener);

        await bad.SendAsync("!"u8.ToArray());
        await Assert.ThrowsAnyAsync<SocketException>(() => bad.ReceiveAsync(new byte[1]));
        await good.SendAsync("x"u8.ToArray());
        Assert.Equal(1, await good.ReceiveAsync(new byte[1]));
        Assert.Single(_faults);
    }

    [Fact]
    public async Task Connections_are_spread_over_the_loops()
    {
        using var listener = Listen();
        var acceptor = new EchoAcceptor();
        await _group.ListenAsync((int)listener.Handle, acceptor, "tag");
        var clients = new List<Socket>();
        for (var i = 0; i < 64; i++)
        {
            clients.Add(await ConnectAsync(listener));
            await clients[i].SendAsync("x"u8.ToArray());
            Assert.Equal(1, await clients[i].ReceiveAsync(new byte[1]));
        }

        Assert.All(_group.Loops, loop => Assert.InRange(acceptor.On[loop.Index], 16, 48));
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task After_the_end_of_accepting_the_socket_still_listens_for_others()
    {
        using var listener = Listen();
        await _group.ListenAsync((int)listener.Handle, new EchoAcceptor(), "tag");
        await _group.StopAcceptingAsync();

        using var client = await ConnectAsync(listener);
        await using var other = new EventLoopGroup(1, _faults.Enqueue);
        await other.ListenAsync((int)listener.Handle, new EchoAcceptor(), "tag");
        await client.SendAsync("x"u8.ToArray());

        Assert.Equal(1, await client.ReceiveAsync(new byte[1]));
    }

    [Fact]
    public async Task An_idle_loop_sleeps()
    {
        var turns = await TurnsAsync();
        await Task.Delay(300);

        Assert.InRange(await TurnsAsync() - turns, 0, 5);
    }

    private async Task<long> TurnsAsync()
    {
        var turns = new TaskCompletionSource<long>();
        _group.Loops[0].Post(() => turns.SetResult(_group.Loops[0].Turns));
        return await turns.Task;
    }

    private static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        return listener;
    }

    private static async Task<Socket> ConnectAsync(Socket listener)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        return client;
    }

    private sealed class EchoAcceptor : IConnectionAcceptor
    {
        public int[] On { get; } = new int[2];

        public void CannotAccept(object tag, int error) => Assert.Fail($"errno {error}");

        public void Accept(EventLoop loop, int fd, IPAddress peer, object tag)
        {
            On[loop.Index]++;
            new Echo(loop, fd).Open();
        }
    }

    private sealed class Echo(EventLoop loop, int fd) : SocketConnection(loop, fd)
    {
        protected override void OnReady()
        {
            var buffer = new byte[1];
            while (CanReceive)
            {
                switch (Receive(buffer))
                {
                    case SocketResult.WouldBlock:
                        break;
                    case SocketResult.Closed or SocketResult.Failed:
                        Close();
                        return;
                    default:
                        if (buffer[0] == '!')
                        {
                            throw new InvalidOperationException("defect");
                        }

                        Send(buffer);
                        break;
                }
            }
        }
    }
}
