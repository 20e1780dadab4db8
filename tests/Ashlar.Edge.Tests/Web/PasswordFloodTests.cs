using System.Collections.Immutable;
using System.Net;
using System.Text;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Edge.Web;
using Ashlar.Http.Transport;
using Ashlar.Stack;

namespace Ashlar.Edge.Tests.WebServer;

/// <summary>Passwords that take as long to check as these tests want.</summary>
public sealed class PasswordFloodTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    private readonly ManualResetEventSlim _opened = new();
    private readonly SemaphoreSlim _begun = new(0);
    private int _checks;

    public void Dispose() => _opened.Set();

    [Fact]
    public async Task While_passwords_are_checked_files_are_served_and_one_address_has_but_a_part_of_the_queue()
    {
        await using var rig = await StartAsync(new ForwardingOptions());

        // The same credentials again are no further check.
        List<RawConnection> guesses = [await GuessAsync(rig, "guess 0")];
        for (var i = 0; i < PasswordChecks.MostOfClient; i++)
        {
            guesses.Add(await GuessAsync(rig, $"guess {i}"));
        }

        while (rig.Edge.Server.PasswordChecks.UnderWay < PasswordChecks.MostOfClient)
        {
            await rig.Edge.Server.TurnAsync();
        }

        Assert.Equal("a file", (await rig.GetAsync("/a.txt")).Body);
        var (head, _) = await rig.GetAsync("/own", Basic("one more"));
        Assert.StartsWith("HTTP/1.1 429 ", head);
        Assert.Contains("\r\nRetry-After: 1\r\n", head);

        _opened.Set();
        foreach (var guess in guesses)
        {
            Assert.StartsWith("HTTP/1.1 401 ", (await guess.ReadResponseAsync()).Head);
            guess.Dispose();
        }

        Assert.Equal(PasswordChecks.MostOfClient, _checks);
        Assert.StartsWith("HTTP/1.1 200 ", (await rig.GetAsync("/own", Basic("open sesame"))).Head);
    }

    [Fact]
    public async Task A_password_that_takes_too_long_is_a_503()
    {
        await using var rig = await StartAsync(new ForwardingOptions { LookTimeout = TimeSpan.FromMilliseconds(100) });
        var (head, _) = await rig.GetAsync("/own", Basic("open sesame"));
        Assert.StartsWith("HTTP/1.1 503 ", head);
    }

    [Fact]
    public async Task Of_who_has_left_no_password_is_checked_and_many_addresses_fill_a_short_queue()
    {
        await using var group = new EventLoopGroup(1, static _ => { });
        using var checks = new PasswordChecks(new Passwords(Check), static _ => { });
        var told = new SemaphoreSlim(0);
        CheckResult Ask(int i, bool isWanted) => checks.TryCheck(
            Encoding.ASCII.GetBytes($"{i}"), Encoding.ASCII.GetBytes("guess"), "hash", IPAddress.Parse($"192.0.2.{i}"),
            new PasswordAsker(group.Loops[0], () => isWanted, _ => told.Release()));

        // The threads are busy; who waits behind them leaves.
        var threads = Math.Clamp(Environment.ProcessorCount / 2, 1, 2);
        for (var i = 0; i < threads; i++)
        {
            Assert.Equal(CheckResult.Begun, Ask(i, isWanted: true));
            Assert.True(await _begun.WaitAsync(_patience));
        }

        for (var i = threads; i < PasswordChecks.MostUnderWay; i++)
        {
            Assert.Equal(CheckResult.Begun, Ask(i, isWanted: false));
        }

        Assert.Equal(CheckResult.TooMany, Ask(200, isWanted: true));
        _opened.Set();
        for (var i = 0; i < threads; i++)
        {
            Assert.True(await told.WaitAsync(_patience));
        }

        while (Ask(201, isWanted: true) != CheckResult.Begun)
        {
            await Task.Yield();
        }

        Assert.True(await told.WaitAsync(_patience));
        Assert.Equal(threads + 1, _checks);
    }

    private Task<WebRig> StartAsync(ForwardingOptions options) => WebRig.StartAsync(
        new WebDefinition
        {
            Static = [new StaticDefinition(null, "/", "public")],
            Rules = [new RuleDefinition { Paths = ["/own"], Auth = new AuthDefinition { Users = ImmutableSortedDictionary<string, string>.Empty.Add("ali", "hash") } }],
        },
        static folder =>
        {
            Directory.CreateDirectory(Path.Combine(folder, "public"));
            File.WriteAllText(Path.Combine(folder, "public/a.txt"), "a file");
        },
        options: options with { PasswordMatches = Check });

    private bool Check(byte[] password, string hash)
    {
        Interlocked.Increment(ref _checks);
        _begun.Release();
        _opened.Wait();
        return password.AsSpan().SequenceEqual("open sesame"u8);
    }

    private static async Task<RawConnection> GuessAsync(WebRig rig, string password)
    {
        var client = await rig.Edge.ConnectAsync();
        await client.SendAsync($"GET /own HTTP/1.1\r\nHost: test\r\n{Basic(password)}\r\n\r\n");
        return client;
    }

    private static string Basic(string password) => $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"ali:{password}"))}";
}
