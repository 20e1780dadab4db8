using System.Text;

namespace Ashlar.Engines.Redis;

public sealed class RespReaderTests
{
    private static readonly string[] Samples =
    [
        "+PONG\r\n", "-LOADING Redis is loading\r\n", ":-42\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n",
        "*3\r\n:1\r\n$2\r\nab\r\n*1\r\n+x\r\n",
    ];

    [Fact]
    public void Answers_are_read_as_they_are_meant()
    {
        Assert.Equal("PONG", Read("+PONG\r\n").Text);
        Assert.True(Read("-LOADING Redis is loading\r\n").IsError("LOADING"));
        Assert.False(Read("-LOADINGS\r\n").IsError("LOADING"));
        Assert.Equal(-42, Read(":-42\r\n").Number);
        Assert.Equal("hello", Read("$5\r\nhello\r\n").Text);
        Assert.Equal(RespKind.Null, Read("$-1\r\n").Kind);
        Assert.Equal(RespKind.Null, Read("*-1\r\n").Kind);
        Assert.Equal("x", Read("*3\r\n:1\r\n$2\r\nab\r\n*1\r\n+x\r\n").Items[2].Items[0].Text);
    }

    [Fact]
    public void Part_of_an_answer_is_waited_for_and_the_next_one_is_left_alone()
    {
        foreach (var sample in Samples)
        {
            var bytes = Encoding.ASCII.GetBytes(sample);
            for (var length = 0; length < bytes.Length; length++)
            {
                Assert.False(RespReader.TryRead(bytes.AsSpan(0, length), out _, out _));
            }

            Assert.True(RespReader.TryRead([.. bytes, .. "+next\r\n"u8], out _, out var consumed));
            Assert.Equal(bytes.Length, consumed);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n")]
    [InlineData("$5\r\nhelloXX")]
    [InlineData("$99999999999\r\n")]
    [InlineData("$-2\r\n")]
    [InlineData("*20000\r\n")]
    [InlineData(":12a\r\n")]
    [InlineData("$\r\n")]
    [InlineData("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n")]
    public void What_is_no_answer_or_too_large_is_refused(string text) => Assert.Throws<RespException>(() => Read(text));

    [Fact]
    public void A_line_without_end_is_refused() => Assert.Throws<RespException>(() => Read("+" + new string('x', RespReader.LongestLine + 10)));

    [Fact]
    public void Mutated_answers_are_read_waited_for_or_refused() => Fuzz(20_000, 7);

    [Fact, Trait("Length", "Full")]
    public void Mutated_answers_are_read_waited_for_or_refused_for_long() => Fuzz(2_000_000, Environment.TickCount);

    private static void Fuzz(int rounds, int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < rounds; round++)
        {
            var bytes = Encoding.ASCII.GetBytes(Samples[random.Next(Samples.Length)] + Samples[random.Next(Samples.Length)]);
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)"*$+-:0123456789\r\n"[random.Next(17)];
            }

            try
            {
                if (RespReader.TryRead(bytes, out _, out var consumed))
                {
                    Assert.InRange(consumed, 1, bytes.Length);
                }
            }
            catch (RespException)
            {
                // Refused.
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}: {Convert.ToHexString(bytes)}", e);
            }
        }
    }

    private static RespValue Read(string text)
    {
        Assert.True(RespReader.TryRead(Encoding.ASCII.GetBytes(text), out var value, out _));
        return value;
    }
}
