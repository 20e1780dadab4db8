using System.Text;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Serving;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Tests.Serving;

/// <summary>An answer that was kept is the answer that would be made, octet for octet.</summary>
public sealed class ReadyAnswersTests
{
    private static readonly ZoneSet Zones = new([Zone.Of(MasterFile.Read(
        """
        $ORIGIN shop.test.
        $TTL 60
        @ SOA ns1 root 1 2h 1h 1w 10m
        @ NS ns1
        @ MX 10 Mail
        ns1 A 192.0.2.1
        mail A 192.0.2.2
        www CNAME @
        *.apps TXT "one" "two"
        """ + string.Concat(Enumerable.Range(0, 40).Select(i => $"\nbig A 192.0.2.{i}")), "shop").Records, "shop").Zone!]);

    [Theory]
    [InlineData(20_000)]
    public void WhatIsKeptIsWhatWouldBeMade(int rounds)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var ready = new ReadyAnswers(64);
        var (made, kept) = (new byte[ResponseWriter.OwnSize], new byte[ResponseWriter.OwnSize]);
        var found = 0;
        for (var i = 0; i < rounds; i++)
        {
            var query = Make(random);
            if (random.Next(3) == 0)
            {
                for (var changes = random.Next(1, 4); changes > 0; changes--)
                {
                    query[random.Next(query.Length)] = (byte)random.Next(256);
                }

                query = query[..random.Next(query.Length / 2, query.Length + 1)];
            }

            var length = Responder.Respond(query, Zones, overTcp: false, made);
            if (!ready.Read(query, isTrusted: false))
            {
                continue;
            }

            if (ready.Write(query, kept) is > 0 and var written)
            {
                found++;
                Assert.True(made.AsSpan(0, length).SequenceEqual(kept.AsSpan(0, written)), $"seed {seed}, round {i}: {Convert.ToHexString(query)}\n{Convert.ToHexString(made.AsSpan(0, length))}\n{Convert.ToHexString(kept.AsSpan(0, written))}");
            }
            else
            {
                ready.Keep(made.AsSpan(0, length));
            }
        }

        Assert.True(found > rounds / 10, $"Only {found} of {rounds} were found.");
    }

    private static byte[] Make(Random random)
    {
        string[] names = ["shop.test", "www.shop.test", "mail.shop.test", "a.apps.shop.test", "big.shop.test", "none.shop.test", "elsewhere.test", ""];
        ushort[] types = [1, 28, 2, 6, 15, 16, 255, 257];
        var query = new List<byte> { (byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(2), (byte)(random.Next(4) << 4), 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in names[random.Next(names.Length)].Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            query.Add((byte)label.Length);
            query.AddRange(Encoding.ASCII.GetBytes(label).Select(octet => random.Next(2) == 0 && char.IsAsciiLetter((char)octet) ? (byte)(octet ^ 0x20) : octet));
        }

        var type = types[random.Next(types.Length)];
        query.AddRange([0, (byte)(type >> 8), (byte)type, 0, 1]);
        if (random.Next(2) == 0)
        {
            query[11] = 1;
            var size = new[] { 0, 512, 600, 1232, 4096 }[random.Next(5)];
            byte[] options = random.Next(2) == 0 ? [] : [0, 10, 0, 2, 1, 2];
            query.AddRange([0, 0, 41, (byte)(size >> 8), (byte)size, 0, 0, (byte)(random.Next(2) << 7), 0, 0, (byte)options.Length, .. options]);
        }

        return [.. query];
    }
}
