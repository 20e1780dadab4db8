using System.Text;

namespace Ashlar.Processes.Tests.Logs;

public sealed class LineSplitterTests
{
    private static List<LogLine> Split(byte[] bytes, int cap, Func<int> chunk, out LineSplitter splitter)
    {
        splitter = new LineSplitter(cap);
        var lines = new List<LogLine>();
        for (var at = 0; at < bytes.Length;)
        {
            var size = Math.Min(chunk(), bytes.Length - at);
            splitter.Add(bytes.AsSpan(at, size), at, lines);
            at += size;
        }
        splitter.Flush(bytes.Length, lines);
        return lines;
    }

    private static bool Same(LogLine a, LogLine b) => a.Complete == b.Complete && a.End == b.End && a.Bytes.Span.SequenceEqual(b.Bytes.Span);

    [Fact] // 27
    public void A_line_of_10_megabytes_is_cut_at_the_cap()
    {
        var bytes = Encoding.ASCII.GetBytes(new string('x', 10 << 20) + "\nnext\n");
        var lines = Split(bytes, LineSplitter.DefaultCap, () => 100_000, out _);
        Assert.Equal(161, lines.Count);
        Assert.All(lines[..160], (line, i) => Assert.Equal((LineSplitter.DefaultCap, i == 159), (line.Bytes.Length, line.Complete)));
        Assert.Equal(("next", true, bytes.Length), (lines[160].Text, lines[160].Complete, lines[160].End));
    }

    [Fact] // 26
    public void What_is_not_utf8_survives()
    {
        byte[] bytes = [0xff, 0xfe, 0, (byte)'a', 0xc3, (byte)'\n', 0x80, (byte)'\n'];
        var lines = Split(bytes, 16, () => 1, out _);
        Assert.Equal([0xff, 0xfe, 0, (byte)'a', 0xc3], lines[0].Bytes.ToArray());
        Assert.Equal([0x80], lines[1].Bytes.ToArray());
    }

    [Fact]
    public void The_cap_does_not_cut_a_character()
    {
        var lines = Split(Encoding.UTF8.GetBytes("aä€😀aä€😀aä€😀"), 8, () => 3, out _);
        Assert.All(lines, line => Assert.DoesNotContain('\ufffd', line.Text));
        Assert.Equal("aä€😀aä€😀aä€😀", string.Concat(lines.Select(line => line.Text)));
    }

    [Fact]
    public void Every_split_of_the_bytes_gives_the_same_bytes_back() => Fuzz(seed: 5, rounds: 2_000);

    [Fact, Trait("Length", "Full")]
    public void Every_split_of_the_bytes_gives_the_same_bytes_back_for_long() => Fuzz(seed: 6, rounds: 300_000);

    private static void Fuzz(int seed, int rounds)
    {
        var random = new Random(seed);
        for (var round = 0; round < rounds; round++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            for (var i = 0; i < bytes.Length; i += random.Next(1, 20))
                bytes[i] = (byte)'\n';
            var cap = random.Next(4, 40);
            var whole = Split(bytes, cap, () => bytes.Length, out _);
            var pieces = Split(bytes, cap, () => random.Next(1, 9), out _);
            var note = $"seed {seed}, round {round}";
            Assert.True(whole.Count == pieces.Count && whole.Zip(pieces).All(pair => Same(pair.First, pair.Second)), note);
            Assert.True(bytes.AsSpan().SequenceEqual(whole.SelectMany(line => line.Complete ? [.. line.Bytes.ToArray(), (byte)'\n'] : line.Bytes.ToArray()).ToArray()), note);
            Assert.All(whole, line => Assert.True(line.Bytes.Length <= cap, note));
        }
    }
}
