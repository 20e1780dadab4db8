using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using Ashlar.Catalog;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Hopping;

/// <summary>An engine's own protocol between machines: its port here, its bytes there.</summary>
public sealed class ForwardTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Bytes_and_ends_pass_both_ways()
    {
        await using var engine = new ScriptedApp(async connection =>
        {
            await connection.SendAsync("who is there?");
            var said = await connection.ReadToEndAsync();
            await connection.SendAsync($"hello {said}");
        });
        await using var rig = await StartAsync(engine.Port);
        using var client = await rig["east"].ConnectAsync(await rig["east"].ForwardAsync("database.1"));

        Assert.Equal("who is there?", await client.ReadAsync(13));
        await client.SendAsync("east");
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("hello east", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task What_a_client_says_first_waits_for_the_way_to_open()
    {
        await using var engine = new ScriptedApp(async connection => await connection.SendAsync($"got {await connection.ReadAsync(100_000)}"));
        await using var rig = await StartAsync(engine.Port);
        using var client = await rig["east"].ConnectAsync(await rig["east"].ForwardAsync("database.1"));
        var early = new string('e', 100_000);
        await client.SendAsync(early);

        Assert.Equal($"got {early}", await client.ReadAsync(100_004));
    }

    [Fact]
    public async Task Much_passes_both_ways_at_once_past_a_slow_reader()
    {
        await using var engine = new ScriptedApp(async connection =>
        {
            for (var left = 8 * 1024 * 1024; left > 0; left -= 64 * 1024)
            {
                await connection.SendAsync(await connection.ReadExactlyAsync(64 * 1024));
            }
        });
        await using var rig = await StartAsync(engine.Port);
        using var client = await rig["east"].ConnectAsync(await rig["east"].ForwardAsync("database.1"));
        var bytes = RandomNumberGenerator.GetBytes(8 * 1024 * 1024);
        var sending = client.SendAsync(bytes);
        await Task.WhenAny(sending, Task.Delay(200)); // everything in between fills up

        var received = await client.ReadExactlyAsync(bytes.Length);
        Assert.True(bytes.AsSpan().SequenceEqual(received));
        await sending;
    }

    [Fact]
    public async Task A_sender_waits_for_a_reader()
    {
        // More than all the sockets in between hold.
        var much = new byte[100 * 1024 * 1024];
        var read = new TaskCompletionSource();
        await using var engine = new ScriptedApp(async connection =>
        {
            await read.Task;
            for (var left = much.Length; left > 0; left -= 64 * 1024)
            {
                await connection.ReadExactlyAsync(64 * 1024);
            }

            await connection.SendAsync("all");
        });
        await using var rig = await StartAsync(engine.Port);
        using var client = await rig["east"].ConnectAsync(await rig["east"].ForwardAsync("database.1"));
        var sending = client.SendAsync(much);
        await Task.WhenAny(sending, Task.Delay(500));
        Assert.False(sending.IsCompleted);

        read.SetResult();
        await sending;
        Assert.Equal("all", await client.ReadAsync(3));
    }

    [Fact]
    public async Task A_reset_arrives_as_one()
    {
        var ended = new TaskCompletionSource<string>();
        await using var engine = new ScriptedApp(async connection =>
        {
            await connection.SendAsync("x");
            if (connection.Number == 1)
            {
                ended.SetResult(await connection.EndAsync());
            }
            else
            {
                await connection.ReadAsync(1);
                connection.Reset();
            }
        });
        await using var rig = await StartAsync(engine.Port);
        var port = await rig["east"].ForwardAsync("database.1");
        using (var client = await rig["east"].ConnectAsync(port))
        {
            await client.ReadAsync(1);
            client.Reset();
        }

        Assert.Equal("reset", await ended.Task.WaitAsync(_patience));
        using var second = await rig["east"].ConnectAsync(port);
        await second.ReadAsync(1);
        await second.SendAsync("x");
        Assert.Equal("reset", await second.EndAsync());
    }

    [Fact]
    public async Task Nobody_there_is_told_at_once()
    {
        await using var engine = ScriptedApp.Saying("x");
        await using var rig = await StartAsync(engine.Port);
        var port = await rig["east"].ForwardAsync("database.1");
        await rig["west"].DieAsync();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 3; i++)
        {
            await IsClosedAsync(rig["east"], port);
        }

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}"); // no answer to wait for
        await rig["west"].ReviveAsync();
    }

    [Fact]
    public async Task No_port_is_reached_that_is_not_an_engines()
    {
        await using var secret = ScriptedApp.Saying("secret");
        await using var engine = ScriptedApp.Saying("engine");
        await using var rig = await StartAsync(engine.Port, HopRig.On("west", "web.1", secret.Port));
        foreach (var name in new[] { "web.1", "database.2", $"127.0.0.1:{secret.Port}", "database.1 x", "" })
        {
            await IsClosedAsync(rig["east"], await rig["east"].ForwardAsync(name));
        }

        // And of one that this machine believes to be there, that one knows better.
        rig.Publish("east", Snapshot(HopRig.On("west", "web.1", secret.Port)));
        await IsClosedAsync(rig["east"], await rig["east"].ForwardAsync("web.1"));
        Assert.Equal(0, secret.Accepted);
    }

    [Fact]
    public async Task Redis_works_through_it()
    {
        var port = Ports.Free();
        using var redis = Process.Start(new ProcessStartInfo("redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--dir", Path.GetTempPath()])
        {
            RedirectStandardOutput = true,
        })!;
        try
        {
            string? line;
            while ((line = await redis.StandardOutput.ReadLineAsync().WaitAsync(_patience)) is not null && !line.Contains("Ready to accept", StringComparison.Ordinal))
            {
            }

            await using var rig = await StartAsync(port);
            var here = await rig["east"].ForwardAsync("database.1");
            Assert.Equal("PONG\n", (await ProgramRun.RunAsync("redis-cli", ["-p", $"{here}", "ping"])).Output);
            var bench = await ProgramRun.RunAsync("redis-benchmark", ["-p", $"{here}", "-n", "2000", "-c", "20", "-d", "5000", "-t", "set,get", "-q", "-P", "8"]);
            Assert.True(bench.ExitCode == 0 && bench.Output.Contains("GET:", StringComparison.Ordinal), bench.ToString());
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task PostgreSQL_works_through_it()
    {
        using var folder = new TempFolder();
        var port = Ports.Free();
        var asOther = Environment.UserName == "root";
        var data = Path.Combine(folder.Path, "data");
        if (asOther)
        {
            // It refuses to run as root.
            Assert.Equal(0, (await ProgramRun.RunAsync("chown", ["nobody", folder.Path])).ExitCode);
        }

        var made = await RunAsync("initdb", "-D", data, "-U", "test", "-A", "trust", "--no-sync");
        Assert.True(made.ExitCode == 0, made.ToString());
        var started = await RunAsync("pg_ctl", "-D", data, "-w", "-l", Path.Combine(folder.Path, "log"), "-o", $"-p {port} -h 127.0.0.1 -k {folder.Path} -F", "start");
        try
        {
            Assert.True(started.ExitCode == 0, started.ToString());
            await using var rig = await StartAsync(port);
            var here = await rig["east"].ForwardAsync("database.1");
            var answer = await ProgramRun.RunAsync("psql", ["-h", "127.0.0.1", "-p", $"{here}", "-U", "test", "-d", "postgres", "-Atc", "select sum(length(repeat('x', 1000))) from generate_series(1, 5000)"]);
            Assert.True(answer.Output == "5000000\n", answer.ToString());
            var rows = await ProgramRun.RunAsync("psql", ["-h", "127.0.0.1", "-p", $"{here}", "-U", "test", "-d", "postgres", "-Atc", "select repeat('x', 99) from generate_series(1, 20000)"]);
            Assert.Equal(20_000 * 100, rows.Output.Length);
        }
        finally
        {
            await RunAsync("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop");
        }

        Task<ProgramResult> RunAsync(string program, params string[] arguments)
        {
            var path = Directory.GetFiles("/usr/lib/postgresql", program, SearchOption.AllDirectories).First();
            string[] prefix = asOther ? ["setpriv", "--reuid", "nobody", "--clear-groups", path] : [path];

            // The server that pg_ctl starts must not hold our pipes.
            return ProgramRun.RunAsync("sh", ["-c", "exec \"$@\" >said 2>&1", "sh", .. prefix, .. arguments], folder.Path);
        }
    }

    private static async Task IsClosedAsync(HopMachine machine, int port)
    {
        try
        {
            using var client = await machine.ConnectAsync(port);
            Assert.Contains(await client.EndAsync(), new[] { "reset", "closed" });
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Before connect had returned.
        }
    }

    private static async Task<HopRig> StartAsync(int port, params CatalogInstance[] services)
    {
        var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(Snapshot(HopRig.On("west", "database.1", port), services));
        return rig;
    }

    private static CatalogSnapshot Snapshot(CatalogInstance engine, params CatalogInstance[] services) =>
        Rig.Snapshot(0, HopRig.Web(services)) with { Engines = [Rig.Service("database", engine)] };
}
