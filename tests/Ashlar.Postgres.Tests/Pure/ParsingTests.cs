using System.Text;
using Ashlar.Errors;

namespace Ashlar.Postgres.Tests.Pure;

/// <summary>What is read from other programs and from the network, as it should be and as it should not.</summary>
public sealed class ParsingTests
{
    private const string Control = """
        pg_control version number:            1300
        Database system identifier:           7710963807222105874
        Database cluster state:               in production
        Latest checkpoint location:           16/B374D848
        Latest checkpoint's REDO location:    16/B374D810
        Latest checkpoint's TimeLineID:       3
        max_connections setting:              100
        """;

    private static readonly byte[] Starting = Error("57P03", "the database system is starting up");

    private static byte[] Error(string state, string message)
    {
        var fields = Encoding.UTF8.GetBytes($"SFATAL\0VFATAL\0C{state}\0M{message}\0Fpostmaster.c\0\0");
        return [(byte)'E', 0, 0, 0, (byte)(fields.Length + 4), .. fields];
    }

    [Fact]
    public void Control_data_says_which_cluster_which_timeline_and_from_where()
    {
        var control = ControlData.Parse(Control)!;
        Assert.Equal((7710963807222105874UL, 3, new LogPosition(0x16B374D810)), (control.SystemIdentifier, control.Timeline, control.Redo));
        Assert.Equal((100, 0), (control.Number("max_connections setting"), control.Number("nothing")));
    }

    [Theory]
    [InlineData("0/0", 0L)]
    [InlineData("16/B374D848", 0x16B374D848L)]
    [InlineData("FFFFFFFF/FFFFFFFF", -1L)]
    public void Log_positions_are_two_halves(string text, long bytes)
    {
        Assert.True(LogPosition.TryParse(text, out var position));
        Assert.Equal((unchecked((ulong)bytes), text), (position.Bytes, position.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("/")]
    [InlineData("1/")]
    [InlineData("/1")]
    [InlineData("1/2/3")]
    [InlineData("123456789/0")]
    [InlineData("-1/0")]
    [InlineData("1/g")]
    public void What_is_none_is_refused(string? text) => Assert.False(LogPosition.TryParse(text, out _));

    [Fact]
    public void A_log_file_tells_where_it_begins() =>
        Assert.Equal(new LogPosition(0x2_03000000), ReplicaPreparation.PositionOf("000000010000000200000003", 16 << 20));

    [Fact]
    public void A_server_that_asks_for_a_password_takes_connections()
    {
        Assert.True(StartupProbe.Judge([(byte)'R', 0, 0, 0, 23], out var good, out _));
        Assert.True(good);
    }

    [Fact]
    public void One_that_starts_up_does_not_and_one_that_is_full_does()
    {
        Assert.True(StartupProbe.Judge(Starting, out var good, out var text));
        Assert.Equal((false, "the database system is starting up"), (good, text));
        Assert.True(StartupProbe.Judge(Error("53300", "sorry, too many clients already"), out good, out _));
        Assert.True(good);
    }

    [Fact]
    public void Half_an_answer_is_waited_for()
    {
        for (var length = 0; length < Starting.Length; length++)
        {
            Assert.False(StartupProbe.Judge(Starting.AsSpan(0, length), out _, out _));
        }

        Assert.True(StartupProbe.Judge("HTTP/1.1 400"u8, out var good, out _));
        Assert.False(good);
    }

    [Fact]
    public void Arguments_of_the_tier_are_strict()
    {
        string[][] bad =
        [
            ["--instance"], ["--instance", "web.1"], ["--instance", "database.0"], ["--what", "1"], [],
            ["--instance", "database.1", "--instance", "database.1"],
            ["--instance", "database.1", "--state", "/s", "--role", "king", "--port", "1", "--database", "d"],
            ["--instance", "database.1", "--state", "/s", "--role", "primary", "--port", "65536", "--database", "d"],
            ["--instance", "database.2", "--state", "/s", "--role", "replica", "--port", "1", "--database", "d"],
            ["--instance", "database.1", "--state", "/s", "--role", "primary", "--port", "1", "--database", "d"],
        ];
        Assert.All(bad, arguments => Assert.Equal("ASH7014",
            Assert.Throws<AshlarException>(() => PostgresOptions.Parse(arguments, new Dictionary<string, string>())).Error.Code));
    }

    [Fact]
    public void Nothing_that_comes_in_brings_the_readers_down() => Fuzz(2_000);

    [Fact, Trait("Length", "Full")]
    public void Nothing_that_comes_in_for_long_brings_the_readers_down() => Fuzz(200_000);

    private static void Fuzz(int rounds)
    {
        const int seed = 20261122;
        var random = new Random(seed);
        byte[][] corpus = [Starting, Encoding.UTF8.GetBytes(Control), "16/B374D848"u8.ToArray(), Error("", "")];
        for (var i = 0; i < rounds; i++)
        {
            var bytes = Mutate(corpus[random.Next(corpus.Length)], random);
            try
            {
                _ = StartupProbe.Judge(bytes, out _, out _);
                var text = Encoding.Latin1.GetString(bytes);
                _ = ControlData.Parse(text);
                _ = LogPosition.TryParse(text, out _);
                _ = LastWords.Explain("database.1", text.Split('\n'));
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {i}: {Convert.ToHexString(bytes)}\n{e}");
            }
        }
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var change = random.Next(1, 6); change > 0 && bytes.Count > 0; change--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveAt(at); break;
                case 2: bytes.Insert(at, (byte)random.Next(256)); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }

        return [.. bytes];
    }
}
