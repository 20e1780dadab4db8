using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Tests.Zones;

public sealed class MasterFileTests
{
    [Fact]
    public void AFileIsReadAsItsStandardSays()
    {
        var (records, mistakes) = MasterFile.Read(
            """
            ; of RFC 1035, 5.3, and more
            $ORIGIN isi.edu.
            $TTL 1h30m
            @   IN  SOA     venera      action\.domains (
                                             20     ; serial
                                             7200   ; refresh
                                             600    ; retry
                                             3600000; expire
                                             60)    ; minimum
                    NS      a.isi.edu.
            a       300 IN A 26.3.0.103
                    IN 200 MX 10 venera
            txt     TXT "a \"quoted\" text; no comment" plain "\065"
            sub.other.  AAAA 2001:DB8::1
            srv     SRV 0 5 5060 sip
            caa     CAA 0 issue "ca.example; policy=ev"
            strange TYPE731 \# 3 abcdef
            known   A \# 4 C0000201
            """,
            "isi");
        Assert.Empty(mistakes);
        Assert.Equal(
            [
                @"isi.edu. 5400 IN SOA venera.isi.edu. action\.domains.isi.edu. 20 7200 600 3600000 60",
                "isi.edu. 5400 IN NS a.isi.edu.",
                "a.isi.edu. 300 IN A 26.3.0.103",
                "a.isi.edu. 200 IN MX 10 venera.isi.edu.",
                """txt.isi.edu. 5400 IN TXT "a \"quoted\" text; no comment" "plain" "A" """.TrimEnd(),
                "sub.other. 5400 IN AAAA 2001:db8::1",
                "srv.isi.edu. 5400 IN SRV 0 5 5060 sip.isi.edu.",
                """caa.isi.edu. 5400 IN CAA 0 issue "ca.example; policy=ev" """.TrimEnd(),
                @"strange.isi.edu. 5400 IN TYPE731 \# 3 abcdef",
                "known.isi.edu. 5400 IN A 192.0.2.1",
            ],
            records.Select(line => line.Record.ToString()));
    }

    [Theory]
    [InlineData("a 300 A 1.2.3.256", "z:1:9: '1.2.3.256' is no IPv4 address")]
    [InlineData("a 300 A 1.2.3", "z:1:9: '1.2.3' is no IPv4 address")]
    [InlineData("a 300 AAAA 1.2.3.4", "z:1:12: '1.2.3.4' is no IPv6 address")]
    [InlineData("a 300 MX ten mail", "z:1:10: 'ten' is no number from 0 to 65535")]
    [InlineData("a 300 MX 10", "z:1:12: MX needs 2 words, and there are 1")]
    [InlineData("a 300 A 1.2.3.4 more", "z:1:17: nothing more belongs to A")]
    [InlineData("a 300 WHAT x", "z:1:7: 'WHAT' is no type of a record")]
    [InlineData("a 300 ANY x", "z:1:7: 'ANY' is no type of a record")]
    [InlineData("a 300", "z:1:6: a type is missing, such as A or MX")]
    [InlineData("  300 A 1.2.3.4", "z:1:3: the first record needs a name before it")]
    [InlineData("a A 1.2.3.4", "z:1:3: it has no time to live: write one before the type, or $TTL at the top")]
    [InlineData("a 300 TXT \"open", "z:1:11: these quotes are never closed")]
    [InlineData("a 300 (A 1.2.3.4", "z:1:7: this parenthesis is never closed")]
    [InlineData("a 300 A) 1.2.3.4", "z:1:8: this parenthesis was never opened")]
    [InlineData("$INCLUDE other", "z:1:1: $INCLUDE is not read: put the records of that file here")]
    [InlineData("$WHAT x", "z:1:1: $WHAT is not known; there are $ORIGIN and $TTL")]
    [InlineData("$TTL never", "z:1:6: 'never' is no time such as 3600 or 1h")]
    [InlineData("a..b 300 A 1.2.3.4", "z:1:1: 'a..b' is no domain name: it has an empty label")]
    [InlineData("a 300 TYPE731 \\# 2 abcdef", "z:1:18: it says 2 octets, and 3 follow")]
    [InlineData("a 300 A \\# 3 abcdef", "z:1:9: these octets are no A")]
    public void AMistakeHasItsPlace(string text, string mistake) =>
        Assert.Equal([mistake], MasterFile.Read(text, "z", DnsName.Parse("example.")).Mistakes.Select(m => m.ToString()));

    [Fact]
    public void AllMistakesAreFoundAtOnce() =>
        Assert.Equal([1, 3], MasterFile.Read("a 1 A x\nb 1 A 1.2.3.4\nc 1 AAAA x\n", "z", DnsName.Parse("example.")).Mistakes.Select(m => m.Line));

    [Theory]
    [InlineData("@ 1 NS ns", "z: there is no SOA record")]
    [InlineData("@ 1 SOA ns root 1 1 1 1 1", "z: the zone example. has no NS record")]
    [InlineData("@ 1 SOA ns root 1 1 1 1 1\n@ 1 NS ns\na.other. 1 A 1.2.3.4", "z:3:1: a.other. is not in the zone example.")]
    [InlineData("@ 1 SOA ns root 1 1 1 1 1\n@ 1 NS ns\na 1 CNAME b\na 1 A 1.2.3.4", "z:4:1: a.example. has a CNAME record, so it can have no A record")]
    [InlineData("@ 1 SOA ns root 1 1 1 1 1\n@ 1 NS ns\na 1 CNAME b\na 1 CNAME c", "z:4:1: a.example. has several CNAME records, and one is all that there can be")]
    [InlineData("@ 1 SOA ns root 1 1 1 1 1\n@ 1 SOA ns root 2 1 1 1 1\n@ 1 NS ns", "z:2:1: a zone has one SOA record")]
    public void WhatIsNoZoneIsToldWhy(string text, string mistake)
    {
        var (lines, unread) = MasterFile.Read(text, "z", DnsName.Parse("example."));
        Assert.Empty(unread);
        Assert.Contains(mistake, Zone.Of(lines, "z").Mistakes.Select(m => m.ToString()));
    }

    [Fact]
    public void WhateverIsInAFileItIsReadToItsEnd() => Fuzz(3_000);

    [Fact]
    [Trait("Length", "Full")]
    public void WhateverIsInAFileItIsReadToItsEndForLong() => Fuzz(300_000);

    private static void Fuzz(int rounds)
    {
        const int seed = 20261123;
        var random = new Random(seed);
        const string text = "$ORIGIN example.\n$TTL 1h\n@ SOA ns root ( 1 2 3 4 5 ) ; c\n  NS ns\nns A 192.0.2.1\nt TXT \"a\\\"b\" c\\065\nx TYPE65280 \\# 2 abcd\ns SRV 1 2 3 ns\nc CAA 0 issue \"x\"\n";
        const string letters = " \t\n\"\\();@$.#0a1\u00e4\0";
        for (var round = 0; round < rounds; round++)
        {
            var characters = text.ToCharArray();
            for (var i = random.Next(1, 8); i > 0; i--)
            {
                characters[random.Next(characters.Length)] = letters[random.Next(letters.Length)];
            }

            var mutated = new string(characters)[..random.Next(text.Length / 2, text.Length + 1)];
            try
            {
                var (records, _) = MasterFile.Read(mutated, "z");
                foreach (var line in records)
                {
                    // What is read is written so that it is read again.
                    var again = MasterFile.Read(line.Record.ToString(), "z").Records;
                    Assert.Equal(line.Record, Assert.Single(again).Record);
                }

                _ = Zone.Of(records, "z");
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}:\n{mutated}\n{e}");
            }
        }
    }
}
