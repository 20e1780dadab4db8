using System.Text;
using System.Text.Json;
using Ashlar.Edge.Logging;

namespace Ashlar.Edge.Tests.Logging;

public sealed class AccessLineTests
{
    [Fact]
    public void A_line_is_json_with_the_documented_fields()
    {
        var line = Line(new AccessRecord
        {
            StartedUnixMs = 1_795_336_420_007,
            Client = "192.0.2.7"u8,
            Method = "GET"u8,
            Host = "shop.test"u8,
            Target = "/a?b=c"u8,
            Status = 200,
            BytesIn = 120,
            BytesOut = 1188,
            DurationMicros = 12_034,
            UpstreamMicros = 9_999,
            ConnectMicros = 211,
            FirstByteMicros = 9_001,
            QueueMicros = 1_000_001,
            Service = "web",
            Instance = "web.1",
            Retries = 1,
            Failure = Failure.QueueTimeout,
            RequestId = "01HX"u8,
            Trace = "6732bb7e4b65e291c6cd22575da8a062"u8,
        });
        Assert.Equal(
            """{"time":"2026-11-22T08:33:40.007Z","client":"192.0.2.7","method":"GET","host":"shop.test","target":"/a?b=c","status":200,"in":120,"out":1188,"ms":12.034,"upstream_ms":9.999,"connect_ms":0.211,"first_ms":9.001,"queue_ms":1000.001,"service":"web","instance":"web.1","retries":1,"failure":"queue-timeout","id":"01HX","trace":"6732bb7e4b65e291c6cd22575da8a062"}""" + "\n",
            line);
    }

    [Fact]
    public void What_does_not_apply_is_left_out()
    {
        using var json = JsonDocument.Parse(Line(new AccessRecord { UpstreamMicros = -1, Status = 404 }));
        Assert.Equal(
            ["time", "client", "method", "host", "target", "status", "in", "out", "ms", "id"],
            json.RootElement.EnumerateObject().Select(property => property.Name));
    }

    [Fact]
    public void Nothing_a_client_sends_breaks_out_of_its_string()
    {
        var every = Enumerable.Range(0, 256).Select(b => (byte)b).ToArray();
        var line = Line(new AccessRecord { Target = every, Host = every, Method = every, RequestId = every, Client = every });
        Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal));
        Assert.All(line[..^1], c => Assert.InRange(c, ' ', '~'));
        using var json = JsonDocument.Parse(line);
        Assert.Equal(Encoding.Latin1.GetString(every), json.RootElement.GetProperty("host").GetString());
    }

    [Fact]
    public void The_longest_line_fits()
    {
        var hostile = Enumerable.Repeat((byte)0, 40_000).ToArray();
        var name = new string('n', 60);
        var line = Line(new AccessRecord
        {
            Target = hostile,
            Host = hostile,
            Method = hostile,
            RequestId = hostile,
            Client = hostile,
            Service = name,
            Instance = name,
            DurationMicros = long.MaxValue,
            BytesIn = long.MaxValue,
            BytesOut = long.MaxValue,
            UpstreamMicros = long.MaxValue,
            QueueMicros = long.MaxValue,
            Status = int.MaxValue,
            Retries = int.MaxValue,
            StartedUnixMs = long.MaxValue,
            Failure = Failure.ConnectFailed,
        });
        Assert.InRange(line.Length, 12_000, AccessLine.MaxBytes);
        using var json = JsonDocument.Parse(line);
        Assert.EndsWith("...", json.RootElement.GetProperty("target").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", "/")]
    [InlineData("", "")]
    [InlineData("/token=1", "/token=1")]
    [InlineData("/?token=abc", "/?token=***")]
    [InlineData("/?a=1&Access_Token=abc&b=2", "/?a=1&Access_Token=***&b=2")]
    [InlineData("/?a=1;PASSWORD=x;b", "/?a=1;PASSWORD=***;b")]
    [InlineData("/?api-key=x&key=y&sig=z&monkey=k", "/?api-key=***&key=***&sig=***&monkey=k")]
    [InlineData("/?X-Amz-Signature=s&X-Amz-Credential=c", "/?X-Amz-Signature=***&X-Amz-Credential=***")]
    [InlineData("/?token=&token", "/?token=&token")]
    [InlineData("/?a?token=x", "/?a?token=***")]
    [InlineData("/?client_secret=a=b&c=d", "/?client_secret=***&c=d")]
    [InlineData("/?&&=&code=1", "/?&&=&code=***")]
    [InlineData("/?token=a?b#c", "/?token=***")]
    public void Values_of_obvious_secrets_are_masked(string target, string logged)
    {
        using var json = JsonDocument.Parse(Line(new AccessRecord { Target = Encoding.ASCII.GetBytes(target) }));
        Assert.Equal(logged, json.RootElement.GetProperty("target").GetString());
    }

    [Fact]
    public void A_line_allocates_nothing()
    {
        var buffer = new byte[AccessLine.MaxBytes];
        var clock = new AccessClock();
        var record = new AccessRecord { Target = "/?a=1&token=x"u8, Host = "h\"\u0001"u8, Service = "web", Instance = "web.1", StartedUnixMs = 1 };
        AccessLine.Write(buffer, record, clock);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            AccessLine.Write(buffer, record, clock);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Random_bytes_always_give_one_line_of_json()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(3000)];
            random.NextBytes(bytes);
            for (var at = 0; at < bytes.Length; at++)
            {
                bytes[at] = random.Next(3) == 0 ? "?&;=key"u8[random.Next(7)] : bytes[at];
            }

            try
            {
                var line = Line(new AccessRecord { Target = bytes, Host = bytes });
                JsonDocument.Parse(line).Dispose();
                Assert.Equal(1, line.Count(c => c == '\n'));
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {Seed}, round {i}: {e}");
            }
        }
    }

    private static string Line(in AccessRecord record)
    {
        var buffer = new byte[AccessLine.MaxBytes];
        return Encoding.ASCII.GetString(buffer.AsSpan(0, AccessLine.Write(buffer, record, new AccessClock())));
    }
}
