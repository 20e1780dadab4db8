using Ashlar.Delivery.Contents;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Delivery.Tests.Contents;

public sealed class SourceStreamTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TempFolder _from = new();
    private readonly TempFolder _to = new();

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
    }

    [Fact]
    public async Task What_arrives_is_what_a_release_is_made_of()
    {
        Fill();
        _from.Write(".ashlarignore", "*.tmp\n");
        _from.Write("left.tmp", "x");
        _from.Write(".env", "SECRET=1");
        _from.Write(".git/config", "x");
        var target = await ReceiveAsync(await SentAsync());
        Assert.Equal([".ashlarignore", "app", "empty", "large", "link"], Directory.GetFileSystemEntries(target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("run", new FileInfo(Path.Combine(target, "link")).LinkTarget);
        Assert.Equal((UnixFileMode)0b111_111_011, File.GetUnixFileMode(Path.Combine(target, "app/run")));
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(target));
        Assert.Equal(File.ReadAllBytes(Path.Combine(_from.Path, "large")), File.ReadAllBytes(Path.Combine(target, "large")));
        Assert.Equal(Tree(_from.Path), Tree(target));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named_before_anything_is_sent()
    {
        File.WriteAllBytes(Path.Combine(_from.Path, ".ashlarignore"), new byte[2 << 20]);
        Assert.Equal("ASH5003", Assert.Throws<Errors.AshlarException>(() => SourceStream.Open(Stack(_from.Path), Cache("a"), TimeProvider.System, CancellationToken.None)).Error.Code);
    }

    [Theory]
    [InlineData("../out")]
    [InlineData("/tmp/out")]
    [InlineData("link/out")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("no/out")]
    public async Task Nothing_lands_outside_of_the_folder(string path)
    {
        File.CreateSymbolicLink(Path.Combine(_from.Path, "link"), _to.Path);
        var sent = (await SentAsync()).AsSpan(0..^33).ToArray(); // without the end
        byte[] entry = [(byte)'f', 1, 0b1010_0000, .. Text(path), 0, 0, 0, 1, 120, 0, 0, 0, 0];
        await Assert.ThrowsAsync<IOException>(() => ReceiveAsync([.. sent, .. entry, (byte)'.', .. new byte[32]]));
        Assert.Equal(["got"], Directory.GetFileSystemEntries(_to.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_is_too_much_or_stops_coming_is_refused()
    {
        Fill();
        var sent = await SentAsync();
        await Assert.ThrowsAsync<IOException>(() => ReceiveAsync(sent, new SourceLimits(Entries: 4)));
        await Assert.ThrowsAsync<IOException>(() => ReceiveAsync(sent, new SourceLimits(Bytes: 200_000)));
        var pipe = new System.IO.Pipelines.Pipe();
        await Assert.ThrowsAsync<IOException>(() => SourceStream.ReadAsync(pipe.Reader.AsStream(), Target(), new SourceLimits(), TimeSpan.FromMilliseconds(20), CancellationToken.None));
    }

    [Fact]
    public Task A_stream_with_any_mistake_is_refused() => MutateAsync(seed: 22_11, rounds: 200);

    [Fact]
    [Trait("Length", "Full")]
    public Task A_stream_with_any_mistake_is_refused_for_long() => MutateAsync(seed: 2026, rounds: 5_000);

    private async Task MutateAsync(int seed, int rounds)
    {
        Fill(large: 300);
        var sent = await SentAsync();
        var random = new Random(seed);
        for (var round = 0; round < rounds; round++)
        {
            var at = random.Next(sent.Length);
            byte[] mutated = random.Next(3) switch
            {
                0 => sent[..at],
                1 => [.. sent[..at], (byte)random.Next(256), .. sent[at..^1]],
                _ => [.. sent[..at], (byte)(sent[at] ^ (1 << random.Next(8))), .. sent[(at + 1)..]],
            };
            if (mutated.SequenceEqual(sent))
            {
                continue;
            }

            var refused = await Record.ExceptionAsync(() => ReceiveAsync(mutated));
            Assert.True(refused is IOException, $"seed {seed}, round {round}: {refused}");
            Assert.Equal(["got"], Directory.GetFileSystemEntries(_to.Path).Select(Path.GetFileName));
        }
    }

    private void Fill(int large = 300_000)
    {
        _from.Write("app/run", "#!/bin/sh\n");
        File.SetUnixFileMode(Path.Combine(_from.Path, "app/run"), (UnixFileMode)0b111_111_011);
        File.WriteAllBytes(Path.Combine(_from.Path, "large"), [.. Enumerable.Range(0, large).Select(i => (byte)i)]);
        Directory.CreateDirectory(Path.Combine(_from.Path, "empty"), (UnixFileMode)0b111_101_000);
        File.CreateSymbolicLink(Path.Combine(_from.Path, "link"), "run");
    }

    private async Task<byte[]> SentAsync()
    {
        using var sent = new MemoryStream();
        await SourceStream.Open(Stack(_from.Path), Cache("a"), TimeProvider.System, CancellationToken.None)(sent);
        return sent.ToArray();
    }

    private async Task<string> ReceiveAsync(byte[] bytes, SourceLimits? limits = null)
    {
        await SourceStream.ReadAsync(new MemoryStream(bytes), Target(), limits ?? new SourceLimits(), Patience, CancellationToken.None);
        return Path.Combine(_to.Path, "got");
    }

    private string Target()
    {
        var target = Path.Combine(_to.Path, "got");
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        return target;
    }

    private string Tree(string folder) => ContentHash.Compute(Stack(folder), folder, Cache("b"), TimeProvider.System).Tree;

    private string Cache(string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(_from.Path, ".ashlar")).FullName, name);

    private static byte[] Text(string text) => [0, 0, 0, (byte)text.Length, .. System.Text.Encoding.UTF8.GetBytes(text)];

    private static StackDefinition Stack(string folder) => new() { Name = "rig", Directory = folder };
}
