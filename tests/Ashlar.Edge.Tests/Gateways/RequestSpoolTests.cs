using System.Text;
using Ashlar.Edge.Gateways;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Tests.Gateways;

public sealed class RequestSpoolTests
{
    private readonly SpoolRoom _room = new(1 << 20, 1 << 20);
    private readonly BufferPool _buffers = new();

    /// <summary>Takes a chunked body in pieces; null where it is refused.</summary>
    private static byte[]? Take(RequestSpool spool, byte[] chunked, Func<int> piece)
    {
        var received = new BufferPool().RentLarge();
        for (var at = 0; ;)
        {
            switch (spool.Take(received))
            {
                case SpoolStatus.NeedMore when at == chunked.Length:
                    return null;
                case SpoolStatus.NeedMore:
                    received.Compact();
                    var next = chunked.AsSpan(at, Math.Min(Math.Min(piece(), received.Free.Length), chunked.Length - at));
                    received.Append(next);
                    at += next.Length;
                    break;
                case SpoolStatus.Full:
                    spool.WriteOut();
                    Assert.True(spool.IsWrittenOut);
                    break;
                case SpoolStatus.Done:
                    return ReadAll(spool);
                default:
                    return null;
            }
        }
    }

    private static byte[] ReadAll(RequestSpool spool)
    {
        spool.Rewind();
        var all = new MemoryStream();
        var buffer = new byte[10_000];
        while (spool.Read(buffer) is var read and > 0)
        {
            all.Write(buffer, 0, read);
        }

        return all.ToArray();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(64 * 1024)]
    [InlineData(256 * 1024 - 1)]
    [InlineData(256 * 1024)]
    [InlineData(256 * 1024 + 1)]
    [InlineData(700_000)]
    public void A_body_of_any_size_is_read_as_it_was_sent_however_it_came(int length)
    {
        const int Seed = 20261123;
        var random = new Random(Seed + length);
        var body = new byte[length];
        random.NextBytes(body);
        var chunked = new MemoryStream();
        for (var at = 0; at < length;)
        {
            var size = Math.Min(random.Next(1, 20_000), length - at);
            chunked.Write(Encoding.ASCII.GetBytes($"{size:x}\r\n"));
            chunked.Write(body, at, size);
            chunked.Write("\r\n"u8);
            at += size;
        }

        // A trailer needs more room at once than may be left of a block.
        chunked.Write(Encoding.ASCII.GetBytes($"0\r\nX-A: {new string('a', 5000)}\r\n\r\n"));
        foreach (var piece in (Func<int>[])[() => 65_536, () => 1000, () => random.Next(1, 300)])
        {
            var spool = new RequestSpool(HttpLimits.Default, 1 << 20, _room);
            Assert.Equal(body, Take(spool, chunked.ToArray(), piece));
            Assert.Equal(length, spool.Length);
            Assert.Equal(body, ReadAll(spool));
            Assert.InRange(_room.Memory.Taken, 4096, 256 * 1024);
            spool.End();
            Assert.Equal((0, 0), (_room.Memory.Taken, _room.Files.Taken));
        }
    }

    [Fact]
    public void It_takes_room_as_the_body_comes()
    {
        var spool = new RequestSpool(HttpLimits.Default, 1 << 20, _room);
        var received = _buffers.RentLarge();
        received.Append("10000\r\n"u8);
        Assert.Equal(SpoolStatus.NeedMore, spool.Take(received));
        Assert.Equal(4096, _room.Memory.Taken);
        received.Append(new byte[5000]);
        Assert.Equal(SpoolStatus.NeedMore, spool.Take(received));
        Assert.Equal(16 * 1024, _room.Memory.Taken);
        spool.End();
        Assert.Equal(0, _room.Memory.Taken);
    }

    [Fact]
    public void Nothing_is_written_for_who_has_left()
    {
        var spool = new RequestSpool(HttpLimits.Default, 1 << 20, _room);
        spool.End();
        spool.WriteOut();
        Assert.Equal((0, 0), (_room.Memory.Taken, _room.Files.Taken));
    }
}
