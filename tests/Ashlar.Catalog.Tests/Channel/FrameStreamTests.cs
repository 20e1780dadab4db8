using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Serialization;
using Ashlar.Catalog.Channel;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Channel;

public sealed partial class FrameStreamTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FrameListener _listener;
    private readonly string _path;

    public FrameStreamTests()
    {
        _path = Path.Combine(_folder.Path, "s");
        _listener = FrameListener.Listen(_path);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Frames_arrive_in_order_in_both_directions()
    {
        var (client, server) = await PairAsync();
        using (client)
        using (server)
        {
            for (var i = 0; i < 100; i++)
            {
                await client.SendAsync(new Note($"up {i}"), NoteJson.Default.Note);
                await server.SendAsync(new Note($"down {i}"), NoteJson.Default.Note);
            }

            for (var i = 0; i < 100; i++)
            {
                Assert.Equal($"up {i}", (await server.ReadAsync(NoteJson.Default.Note).Soon())!.Text);
                Assert.Equal($"down {i}", (await client.ReadAsync(NoteJson.Default.Note).Soon())!.Text);
            }
        }
    }

    [Fact]
    public async Task Frames_of_many_senders_never_mix()
    {
        var (client, server) = await PairAsync();
        using (client)
        using (server)
        {
            var sending = Enumerable.Range(0, 50)
                .Select(i => Task.Run(() => client.SendAsync(new Note(new string((char)('a' + (i % 26)), 50_000 + i)), NoteJson.Default.Note)))
                .ToArray();
            for (var i = 0; i < sending.Length; i++)
            {
                var note = await server.ReadAsync(NoteJson.Default.Note).Soon();
                Assert.Single(note!.Text.Distinct());
            }

            await Task.WhenAll(sending);
        }
    }

    [Fact]
    public async Task A_frame_that_comes_byte_by_byte_is_whole()
    {
        using var raw = RawConnect();
        using var server = await _listener.AcceptAsync().Soon();
        var reading = server.ReadAsync(NoteJson.Default.Note).Soon();
        foreach (var b in Frame("""{"text":"slow"}"""))
        {
            Assert.False(reading.IsCompleted);
            await raw.SendAsync(new[] { b });
        }

        Assert.Equal("slow", (await reading)!.Text);
    }

    [Fact]
    public async Task The_largest_frame_passes_and_a_larger_one_is_refused_before_it_is_sent()
    {
        var (client, server) = await PairAsync();
        using (client)
        using (server)
        {
            var overhead = """{"text":""}""".Length;
            var reading = server.ReadAsync(NoteJson.Default.Note).Soon();
            await client.SendAsync(new Note(new string('x', FrameStream.LongestFrame - overhead)), NoteJson.Default.Note).Soon();
            Assert.Equal(FrameStream.LongestFrame - overhead, (await reading)!.Text.Length);

            var tooLong = new Note(new string('x', FrameStream.LongestFrame - overhead + 1));
            await Assert.ThrowsAsync<FrameException>(() => client.SendAsync(tooLong, NoteJson.Default.Note));
            await client.SendAsync(new Note("after"), NoteJson.Default.Note);
            Assert.Equal("after", (await server.ReadAsync(NoteJson.Default.Note).Soon())!.Text);
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(FrameStream.LongestFrame + 1u)]
    [InlineData(uint.MaxValue)]
    public async Task A_length_out_of_range_is_refused_at_once(uint length)
    {
        using var raw = RawConnect();
        using var server = await _listener.AcceptAsync().Soon();
        var header = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(header, length);
        await raw.SendAsync(header);
        await Assert.ThrowsAsync<FrameException>(() => server.ReadAsync(NoteJson.Default.Note).Soon());
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"text\":")]
    [InlineData("\u0001\u0002")]
    [InlineData("{\"text\":{\"a\":1}}")]
    public async Task A_frame_that_is_not_the_JSON_expected_is_refused(string body)
    {
        using var raw = RawConnect();
        using var server = await _listener.AcceptAsync().Soon();
        await raw.SendAsync(Frame(body));
        await Assert.ThrowsAsync<FrameException>(() => server.ReadAsync(NoteJson.Default.Note).Soon());
    }

    [Fact]
    public async Task A_peer_that_goes_between_frames_is_an_end_and_one_that_goes_within_a_frame_an_error()
    {
        using (var raw = RawConnect())
        {
            using var server = await _listener.AcceptAsync().Soon();
            await raw.SendAsync(Frame("""{"text":"last"}"""));
            raw.Dispose();
            Assert.Equal("last", (await server.ReadAsync(NoteJson.Default.Note).Soon())!.Text);
            Assert.Null(await server.ReadAsync(NoteJson.Default.Note).Soon());
        }

        foreach (var cut in new[] { 1, 3, 4, 10 })
        {
            using var raw = RawConnect();
            using var server = await _listener.AcceptAsync().Soon();
            await raw.SendAsync(Frame("""{"text":"half"}""").AsMemory(0, cut));
            raw.Dispose();
            await Assert.ThrowsAsync<FrameException>(() => server.ReadAsync(NoteJson.Default.Note).Soon());
        }
    }

    [Fact]
    public async Task A_cancelled_read_loses_nothing()
    {
        using var raw = RawConnect();
        using var server = await _listener.AcceptAsync().Soon();
        var frame = Frame("""{"text":"kept"}""");
        foreach (var b in frame.AsSpan(0, frame.Length - 1).ToArray())
        {
            using var cancel = new CancellationTokenSource();
            var reading = server.ReadAsync(NoteJson.Default.Note, cancel.Token).Soon();
            await raw.SendAsync(new[] { b });
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        }

        await raw.SendAsync(frame.AsMemory(frame.Length - 1));
        Assert.Equal("kept", (await server.ReadAsync(NoteJson.Default.Note).Soon())!.Text);
    }

    [Fact]
    public async Task Sending_to_a_peer_that_is_gone_is_an_IOException()
    {
        var (client, server) = await PairAsync();
        server.Dispose();
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await client.SendAsync(new Note("x"), NoteJson.Default.Note).Soon();
            }
        });
        client.Dispose();
    }

    [Theory]
    [InlineData(2_000)]
    public Task Mutated_bytes_are_frames_or_refused(int rounds) => FuzzAsync(seed: 17, rounds);

    [Fact]
    [Trait("Length", "Full")]
    public Task Many_more_mutated_bytes_are_frames_or_refused() => FuzzAsync(seed: 4711, rounds: 100_000);

    private async Task FuzzAsync(int seed, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var random = new Random(unchecked((seed * 1_000_003) + round));
            var bytes = Enumerable.Range(0, random.Next(1, 5)).SelectMany(i => Frame($$"""{"text":"note {{i}}"}""")).ToArray();
            for (var i = random.Next(4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            bytes = bytes[..random.Next(bytes.Length + 1)];
            using var raw = RawConnect();
            using var server = await _listener.AcceptAsync().Soon();
            for (var at = 0; at < bytes.Length;)
            {
                var some = random.Next(1, bytes.Length - at + 1);
                await raw.SendAsync(bytes.AsMemory(at, some));
                at += some;
            }

            raw.Dispose();
            try
            {
                while (await server.ReadAsync(NoteJson.Default.Note).Soon() is not null)
                {
                }
            }
            catch (FrameException)
            {
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}: {Convert.ToHexString(bytes)}", e);
            }
        }
    }

    private async Task<(FrameStream Client, FrameStream Server)> PairAsync() =>
        (FrameStream.Connect(_path), await _listener.AcceptAsync().Soon());

    private Socket RawConnect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(_path));
        return socket;
    }

    private static byte[] Frame(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var frame = new byte[4 + bytes.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, bytes.Length);
        bytes.CopyTo(frame, 4);
        return frame;
    }

    internal sealed record Note(string Text);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Note))]
    internal sealed partial class NoteJson : JsonSerializerContext;
}
