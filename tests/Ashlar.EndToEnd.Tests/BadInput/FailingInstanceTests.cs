using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

public sealed class FailingInstanceTests
{
    private const int Unhealthy = 5;
    private const int Refused = 6;

    [Fact]
    public async Task A_command_that_does_not_exist_is_named()
    {
        await using var rig = new StackRig(Stacks.Web("nosuchprogram --serve"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), Unhealthy);
        error.Is("ASH4010", "agent", "web.1", "'nosuchprogram --serve'", "127", "not found").Advises("run:");
        rig.IsGone();
    }

    [Fact]
    public async Task A_command_that_only_the_shell_can_look_for_is_named_too()
    {
        await using var rig = new StackRig(Stacks.Web("echo begins && nosuchprogram --serve"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), Unhealthy);
        error.Is("ASH4010", "agent", "web.1", "nosuchprogram", "127", "begins").Advises("run:");
        rig.IsGone();
    }

    [Fact]
    public async Task A_port_in_use_is_refused_with_its_holder_and_the_key_that_moves_ours()
    {
        await using var rig = new StackRig(Stacks.Web("sleep 1000"));
        using (var holder = new TcpListener(rig.Edge))
        {
            holder.Start();
            var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), Refused);
            error.Is("ASH4015", "agent", $"127.0.0.1:{rig.Port}", $"pid {Environment.ProcessId}", Process.GetCurrentProcess().ProcessName[..6]);
            error.Advises("edge.listen.http");
        }
        rig.IsGone();
    }

    [Fact]
    public async Task An_instance_that_never_listens_is_told_its_port()
    {
        await using var rig = new StackRig(Stacks.Web("sleep 1000"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), Unhealthy);
        error.Is("ASH2011", "processes", "web.1", "2 s").Advises("PORT");
        Assert.Matches(@"port 2\d{4}", error.Cause);
        rig.IsGone();
    }

    [Fact]
    public async Task An_instance_that_listens_elsewhere_is_told_where()
    {
        await using var rig = new StackRig(Stacks.Web("python3 -m http.server 0 --bind 127.0.0.1"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), Unhealthy);
        error.Is("ASH2012", "processes", "web.1").Advises("PORT");
        var listens = error.Cause.Split("Serving HTTP on 127.0.0.1 port ")[1].Split(' ')[0];
        Assert.Contains($"127.0.0.1:{listens}", error.Cause);
        rig.IsGone();
    }

    [Fact]
    public async Task An_instance_that_crashes_again_and_again_is_shown_with_its_exit_code_and_last_lines()
    {
        await using var rig = new StackRig(Stacks.Web("echo no configuration found; exit 3"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), Unhealthy);
        error.Is("ASH2017", "processes", "web.1", "exit 3", "no configuration found");
        rig.IsGone();
    }

    [Fact]
    public async Task A_web_service_that_forks_away_is_told_to_stay_in_the_foreground()
    {
        await using var rig = new StackRig(Stacks.Web("setsid python3 -m http.server $PORT --bind 127.0.0.1 & exit 0"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), Unhealthy);
        error.Is("ASH2018", "processes", "web.1", "exit 0", "1 process ").Advises("foreground");
        rig.IsGone();
    }

    [Fact]
    public async Task What_a_worker_forks_away_while_it_runs_is_ended_with_it()
    {
        await using var rig = new StackRig(Stacks.WithWorker("setsid sleep 1000 & setsid sh -c 'cd / && exec sleep 1001' & echo forked; exec sleep 1002"));
        await rig.UpAsync();
        Assert.Contains("forked", await rig.DoAsync("logs", "worker"));
        await rig.DoAsync("down");
        rig.IsGone();
        Assert.DoesNotContain(Commands(), c => c is "sleep 1000" or "sleep 1001" or "sleep 1002");
    }

    [Fact]
    public async Task An_instance_that_ignores_SIGTERM_is_killed_after_its_grace_and_that_is_said()
    {
        await using var rig = new StackRig(Stacks.WithWorker("trap '' TERM; echo deaf; while :; do sleep 0.1; done"));
        await rig.UpAsync();
        var down = await rig.AshlarAsync("down");
        Assert.True(down.ExitCode == 0, down.ToString());
        Assert.Contains("worker.1 has not ended within 1 s of SIGTERM and is killed", down.Error);
        rig.IsGone();
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task An_instance_that_floods_its_output_fills_neither_the_disk_nor_the_agents_memory()
    {
        await using var rig = new StackRig(Stacks.WithWorker("yes an app that says the same thing over and over again"));
        await rig.UpAsync();
        var agent = (await rig.InstanceAsync("agent")).GetProperty("pids")[0].GetInt32();
        var memory = ResidentMiB(agent);

        // Until the flood has been cut off several times, as the youngest part kept shows.
        var logs = Path.Combine(rig.Folder, ".ashlar/logs");
        var parts = new HashSet<DateTime>();
        for (var look = 0; look < 1200 && parts.Count < 4; look++)
        {
            if (new FileInfo(Path.Combine(logs, "worker.1.log.1")) is { Exists: true } part)
            {
                parts.Add(part.LastWriteTimeUtc);
            }
            await Task.Delay(50);
        }
        Assert.True(parts.Count >= 4, rig.AgentLog());
        await rig.ServesAsync();
        Assert.Equal("Healthy", (await rig.InstanceAsync("worker.1")).GetProperty("state").GetString());
        // The log itself may just have been cut to nothing; only what was cut off has a least size.
        var rotated = Directory.GetFiles(logs, "worker.1.log.*").Where(file => int.TryParse(Path.GetExtension(file)[1..], out _)).ToList();
        Assert.InRange(rotated.Count, 1, 5);
        Assert.All(rotated, file => Assert.InRange(new FileInfo(file).Length, 1, 256 << 20));
        Assert.InRange(ResidentMiB(agent), 0, memory + 64);
        Assert.Contains("over and over again", await rig.DoAsync("logs", "worker", "-n", "5"));
        await rig.DoAsync("down");
        rig.IsGone();
    }

    private static int ResidentMiB(int pid) => int.Parse(
        File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;

    private static List<string> Commands()
    {
        var commands = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            try
            {
                commands.Add(File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ').Trim());
            }
            catch (IOException)
            {
                // gone
            }
        }
        return commands;
    }
}
