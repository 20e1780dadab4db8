using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Processes.Tests.Health;

public sealed class HealthProbeTests
{
    private static async Task<(HealthAnswer Answer, string Request)> Ask(byte[] response, Func<HealthQuestion, HealthQuestion>? change = null, int chunk = int.MaxValue,
        bool close = true)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var question = new HealthQuestion { Endpoint = (IPEndPoint)listener.LocalEndpoint, Path = "/up", Timeout = Lab.Patience };
        var server = Task.Run(async () =>
        {
            using var socket = await listener.AcceptSocketAsync();
            socket.NoDelay = true;
            var buffer = new byte[4096];
            var length = 0;
            while (!Encoding.ASCII.GetString(buffer, 0, length).Contains("\r\n\r\n"))
                length += await socket.ReceiveAsync(buffer.AsMemory(length));
            try
            {
                foreach (var part in response.Chunk(Math.Min(chunk, Math.Max(1, response.Length))))
                    await socket.SendAsync(part);
                if (!close)
                    await socket.ReceiveAsync(buffer.AsMemory(length));
            }
            catch (SocketException)
            {
                // The probe has heard enough.
            }
            return Encoding.ASCII.GetString(buffer, 0, length);
        });
        var answer = await HealthProbe.AskAsync(change?.Invoke(question) ?? question);
        return (answer, await server.WaitAsync(Lab.Patience));
    }

    private static Task<(HealthAnswer Answer, string Request)> Ask(string response, Func<HealthQuestion, HealthQuestion>? change = null, int chunk = int.MaxValue) =>
        Ask(Encoding.ASCII.GetBytes(response), change, chunk);

    [Theory]
    [InlineData(200, true)]
    [InlineData(204, true)]
    [InlineData(302, true)]
    [InlineData(404, false)]
    [InlineData(503, false)]
    public async Task A_status_from_200_to_399_is_good(int status, bool good)
    {
        var (answer, request) = await Ask($"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal((good, status), (answer.Good, answer.Status));
        Assert.StartsWith("GET /up HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Ashlar-Health/1\r\n", request);
    }

    [Fact]
    public async Task One_status_alone_may_be_expected()
    {
        Assert.True((await Ask("HTTP/1.1 404 X\r\n\r\n", q => q with { FirstStatus = 404, LastStatus = 404 })).Answer.Good);
        Assert.False((await Ask("HTTP/1.1 200 X\r\n\r\n", q => q with { FirstStatus = 404, LastStatus = 404 })).Answer.Good);
    }

    [Fact]
    public async Task The_answer_may_come_byte_by_byte_and_after_an_interim_one() =>
        Assert.Equal(200, (await Ask("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody", chunk: 1)).Answer.Status);

    [Theory]
    [InlineData("SSH-2.0-OpenSSH\r\n")]
    [InlineData("HTTP/2 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 -20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1")]
    [InlineData("x")]
    public async Task What_is_not_http_is_said_to_be_so(string response)
    {
        var (answer, _) = await Ask(response);
        Assert.Equal((false, 0, "what it answered is not HTTP"), (answer.Good, answer.Status, answer.Text));
    }

    [Fact]
    public async Task An_endless_body_is_not_read_to_its_end()
    {
        var (answer, _) = await Ask([.. "HTTP/1.1 200 OK\r\n\r\n"u8, .. new byte[8 << 20]], close: false);
        Assert.True(answer.Good);
    }

    [Fact]
    public async Task An_endless_interim_head_is_not_read_to_its_end() =>
        Assert.False((await Ask([.. "HTTP/1.1 100 Continue\r\nX: "u8, .. Enumerable.Repeat((byte)'x', 1 << 20)], close: false)).Answer.Good);

    [Fact]
    public async Task Silence_is_bounded_by_the_timeout()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answer = await HealthProbe.AskAsync(new HealthQuestion
        {
            Endpoint = (IPEndPoint)listener.LocalEndpoint,
            Timeout = TimeSpan.FromMilliseconds(50),
        });
        Assert.Equal((false, "no answer within 0.05 s"), (answer.Good, answer.Text));
    }

    [Fact]
    public async Task Refused_and_closed_connections_are_told_apart()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var endpoint = (IPEndPoint)closed.LocalEndpoint;
        closed.Stop();
        Assert.Equal("connection refused", (await HealthProbe.AskAsync(new HealthQuestion { Endpoint = endpoint })).Text);
        Assert.Equal("connection closed without an answer", (await Ask("")).Answer.Text);
    }

    [Fact]
    public async Task Random_answers_never_throw_and_never_count_as_good_by_chance()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        var valid = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno"u8.ToArray();
        for (var round = 0; round < 200; round++)
        {
            var mutated = (byte[])valid.Clone();
            for (var i = random.Next(1, 4); i > 0; i--)
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            var (answer, _) = await Ask(mutated);
            Assert.True(!answer.Good || mutated[9] is (byte)'2' or (byte)'3', $"seed {Seed}, round {round}");
        }
    }
}
