using Ashlar.Testing;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>What runs on another machine is reached from this one as if it ran here.</summary>
[Trait("Length", "Full")]
public sealed class ReachTests
{
    [MachinesFact]
    public async Task Logs_and_commands_of_instances_elsewhere_are_had_from_any_machine()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await TwoAsync(net);
        await first.DoAsync("scale", "web=4");
        var there = (await InstancesAsync(first, "web")).First(i => i.Machine == "m2").Name;

        var ran = await first.AshlarAsync("exec", there, "--", "sh", "-c", "echo $ASHLAR_INSTANCE; echo to err >&2; exit 7");
        Assert.Equal((7, $"{there}\n", "to err\n"), (ran.ExitCode, ran.Output, ran.Error));
        Assert.Equal("typed here\n", await first.DoWithInputAsync("typed here\n", "exec", there, "--", "cat"));
        Assert.Contains("ASH4012", await first.RefusedAsync("", "exec", "web.9", "--", "true"));

        // It writes on where others have written, and ends quietly when its reader goes.
        var remotely = $"'{Checkout.Ashlar}' exec --stack '{first.Folder}' {there} --";
        var shell = await first.Host.ExecAsync("sh", ["-c", $"{{ {remotely} echo one; {remotely} sh -c 'echo two >&2'; echo three; }} >out 2>&1; cat out; {remotely} yes | head -n 1"]);
        Assert.Equal(("one\ntwo\nthree\ny\n", ""), (shell.Output, shell.Error));

        // At a terminal it has one there, as large as ours.
        var terminal = await first.Host.ExecAsync(
            "script", ["--quiet", "--return", "--command", $"stty rows 33 cols 77; exec '{Checkout.Ashlar}' exec --stack '{first.Folder}' {there} -- stty size", "/dev/null"]);
        Assert.Equal(0, terminal.ExitCode);
        Assert.EndsWith("33 77", terminal.Output.Trim(), StringComparison.Ordinal);

        // The app writes a line at its start.
        var logs = await second.DoAsync("logs", "web");
        Assert.Contains($"{there} ", logs, StringComparison.Ordinal);
        Assert.Contains("web.1@m1 ", logs, StringComparison.Ordinal);

        using var following = first.Host.Run(Checkout.Ashlar, ["logs", "--stack", first.Folder, "web", "--follow", "--lines", "1"]);
        await UntilAsync(Soon, () => Task.FromResult(Count(following, there) == 1));
        await second.DoAsync("restart", there);
        await UntilAsync(Soon, () => Task.FromResult(Count(following, there) > 1));

        // One that does not answer is told of and keeps nobody from reading the rest.
        await net.KillAsync(net[0]);
        Assert.Contains("m1", (await second.AshlarAsync("logs", "web")).Error, StringComparison.Ordinal);
    }

    private static int Count(HostProcess following, string instance) => following.Output.Split('\n').Count(line => line.StartsWith($"{instance}@m2 ", StringComparison.Ordinal));
}
