using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog.Channel;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Channel;

public sealed class DescriptorTests : IDisposable
{
    private static readonly Hello Edge = new("edge.1/1", "edge", Environment.ProcessId, "test", [], 0);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_listener_that_was_handed_over_survives_the_death_of_its_sender()
    {
        var path = Path.Combine(_folder.Path, "s");
        await using var server = ChannelServer.Listen(path);
        using var child = ChildProcess.Start("send-listener", path);
        using var connection = await server.AcceptAsync().Soon();
        using var received = await connection.Descriptors.ReadAsync().Soon();
        Assert.Equal<string>(["http"], received.Names);
        child.Kill();
        await connection.Closed.Soon();

        using var listener = ListeningSocket.Describe(received.Descriptors[0]);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, listener.Port).Soon();
    }

    [Fact]
    public async Task The_listeners_of_a_process_that_gives_nothing_can_be_taken_and_outlive_it()
    {
        var path = Path.Combine(_folder.Path, "s");
        await using var server = ChannelServer.Listen(path);
        using var child = ChildProcess.Start("send-listener", path);
        using var connection = await server.AcceptAsync().Soon();
        int port;
        using (var received = await connection.Descriptors.ReadAsync().Soon())
        {
            port = ListeningSocket.Describe(received.Descriptors[0]).Port;
        }

        IReadOnlyList<ListeningSocket> taken;
        try
        {
            taken = ListenersOfProcess.Take(connection.Peer.Pid);
        }
        catch (IOException e) when (e.InnerException is System.ComponentModel.Win32Exception { NativeErrorCode: Native.EPERM })
        {
            // A container's filter of system calls may forbid it.
            return;
        }

        child.Kill();
        using var listener = Assert.Single(taken);
        Assert.Equal(port, listener.Port);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port).Soon();
    }

    [Fact]
    public void Nothing_can_be_taken_from_a_process_that_is_not_there() =>
        Assert.Throws<IOException>(() => ListenersOfProcess.Take(int.MaxValue));

    internal static async Task SendListenerAndHangAsync(string path)
    {
        using var listener = ListeningSocket.Open(IPAddress.Loopback, 0, "test");
        using var stream = FrameStream.Connect(path);
        await stream.SendAsync(new ChannelMessage(ChannelKinds.Hello) { Hello = Edge }, ChannelJson.Default.ChannelMessage);
        var message = ReceivedDescriptors.ToMessage(["http"], [listener.Descriptor]);
        await stream.SendAsync(message, ChannelJson.Default.ChannelMessage, [listener.Descriptor]);
        await Task.Delay(Timeout.Infinite);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(253)]
    [InlineData(254)]
    [InlineData(600)]
    public async Task Any_number_of_descriptors_keep_their_order_and_names(int count)
    {
        using var listener = FrameListener.Listen(Path.Combine(_folder.Path, "s"));
        using var client = FrameStream.Connect(Path.Combine(_folder.Path, "s"));
        using var server = await listener.AcceptAsync().Soon();
        var files = Enumerable.Range(0, count).Select(i => OpenFile($"file {i}")).ToArray();
        var message = ReceivedDescriptors.ToMessage([.. Enumerable.Range(0, count).Select(i => $"name {i}")], files);
        await client.SendAsync(message, ChannelJson.Default.ChannelMessage, files).Soon();
        foreach (var file in files)
        {
            file.Dispose();
        }

        var arrived = await server.ReadAsync(ChannelJson.Default.ChannelMessage).Soon();
        using var received = ReceivedDescriptors.Take(server, arrived!.Names);
        Assert.Equal(count, received.Descriptors.Length);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"name {i}", received.Names[i]);
            Assert.Equal($"file {i}", File.ReadAllText($"/proc/self/fd/{received.Descriptors[i].Number}"));
        }
    }

    [Fact]
    public async Task Descriptors_among_large_frames_stay_with_the_frame_that_names_them()
    {
        using var listener = FrameListener.Listen(Path.Combine(_folder.Path, "s"));
        using var client = FrameStream.Connect(Path.Combine(_folder.Path, "s"));
        using var server = await listener.AcceptAsync().Soon();
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                var padding = new ChannelMessage(ChannelKinds.Fact) { Fact = new Fact(new string('x', 40_000)) };
                await client.SendAsync(padding, ChannelJson.Default.ChannelMessage);
                using var file = OpenFile($"file {i}");
                await client.SendAsync(ReceivedDescriptors.ToMessage([$"{i}"], [file]), ChannelJson.Default.ChannelMessage, [file]);
            }
        });
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(ChannelKinds.Fact, (await server.ReadAsync(ChannelJson.Default.ChannelMessage).Soon())!.Kind);
            var message = await server.ReadAsync(ChannelJson.Default.ChannelMessage).Soon();
            using var received = ReceivedDescriptors.Take(server, message!.Names);
            Assert.Equal($"file {i}", File.ReadAllText($"/proc/self/fd/{received.Descriptors[0].Number}"));
        }

        await sending.Soon();
    }

    [Fact]
    public async Task A_received_descriptor_is_closed_on_exec_and_names_without_descriptors_are_refused()
    {
        using var listener = FrameListener.Listen(Path.Combine(_folder.Path, "s"));
        using var client = FrameStream.Connect(Path.Combine(_folder.Path, "s"));
        using var server = await listener.AcceptAsync().Soon();
        using var file = OpenFile("x");
        await client.SendAsync(ReceivedDescriptors.ToMessage(["x"], [file]), ChannelJson.Default.ChannelMessage, [file]);
        await server.ReadAsync(ChannelJson.Default.ChannelMessage).Soon();
        using var received = ReceivedDescriptors.Take(server, ["x"]);
        var flags = File.ReadAllLines($"/proc/self/fdinfo/{received.Descriptors[0].Number}").Single(line => line.StartsWith("flags:"));
        Assert.NotEqual(0, Convert.ToInt32(flags.Split('\t')[1], 8) & 0x80000);

        await client.SendAsync(new ChannelMessage(ChannelKinds.Descriptors) { Names = ["a", "b"] }, ChannelJson.Default.ChannelMessage);
        var message = await server.ReadAsync(ChannelJson.Default.ChannelMessage).Soon();
        Assert.Throws<FrameException>(() => ReceivedDescriptors.Take(server, message!.Names));
    }

    private Descriptor OpenFile(string text)
    {
        var path = _folder.Write(Guid.NewGuid().ToString("N"), text);
        return new Descriptor(Native.Open(path, Native.O_CLOEXEC));
    }
}
