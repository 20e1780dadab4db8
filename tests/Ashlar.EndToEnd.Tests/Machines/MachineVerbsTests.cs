using System.Globalization;
using System.Text.Json;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>The verbs of machines, by the real program on hosts of their own.</summary>
[Trait("Length", "Full")]
public sealed class MachineVerbsTests
{
    private static string Labelled(MachineNet net) => $$"""
        name: rig
        machines:
          {{net[0].Name}}: {labels: web}
          {{net[1].Name}}: {labels: web}
          {{net[2].Name}}: {address: 192.0.2.3}
        services:
          web:
            run: "'@APP@'"
            route: /
            health: /up
            instances: 2
            machines: {on: web}
        edge: {listen: 8080}
        """;

    [MachinesFact]
    public async Task Instances_go_where_labels_say_leave_a_drained_machine_without_a_failed_request_and_a_removed_one_for_good()
    {
        await using var net = await MachineNet.CreateAsync(3);
        var (first, second, third) = (new StackMachine(net[0], Labelled(net)), new StackMachine(net[1], null), new StackMachine(net[2], null));
        var (a, b, c) = (net[0].Name, net[1].Name, net[2].Name);
        await first.UpAsync();
        await JoinAsync(first, second);
        Assert.Equal(("absent", $"ashlar machines add 192.0.2.3 --name {c}"), await LineAsync(first, c));
        await third.DoWithInputAsync(await second.DoAsync("machines", "token"), "join", "--address", net[2].Address.ToString(), "--name", c);
        await UntilAsync(Soon, async () => (await InstancesAsync(first, "edge")).Count(i => i.State == "healthy") == 3);

        // The third has no such label, whatever is asked for.
        await second.DoAsync("scale", "web=4");
        await IsOnAsync(first, a, a, b, b);
        await third.DoAsync("machines", "cordon", b);
        await first.DoAsync("scale", "web=5");
        await IsOnAsync(first, a, a, a, b, b);
        Assert.Equal("alive, cordoned", (await LineAsync(first, b)).State);

        await first.DoAsync("machines", "label", c, "web");
        using (var load = Load.Begin(first, third))
        {
            await second.DoAsync("machines", "drain", b);
            await load.EndAsync();
        }

        await IsOnAsync(first, a, a, a, c, c);
        Assert.Equal("alive, drained", (await LineAsync(first, b)).State);

        Assert.Contains("ASH7518", (await first.AshlarAsync("machines", "rm", "m9")).Error, StringComparison.Ordinal);
        Assert.Contains("ASH7519", (await first.AshlarAsync("machines", "rm", c)).Error, StringComparison.Ordinal); // alive
        await first.DoAsync("machines", "rm", b);
        await UntilAsync(Soon, () => Task.FromResult(net[1].Processes().Count == 0));
        Assert.False(File.Exists(Path.Combine(second.Folder, ".ashlar/machine.json")));
        Assert.Equal("absent", (await LineAsync(third, b)).State); // the file still names it

        // More than there is: what can run runs, and it is said what does not.
        first.Write("ashlar.yaml", Labelled(net).Replace("on: web", "on: gpu", StringComparison.Ordinal).Replace("{labels: web}", "{labels: [web, gpuu]}", StringComparison.Ordinal));
        var up = await first.AshlarAsync("up", "--detach");
        Assert.True(up.ExitCode == 5, $"{up}\n{first.AgentLog()}");
        Assert.Contains("no machine has the label gpu (did you mean gpuu?)", up.Error, StringComparison.Ordinal);
        await AnswersAsync(first, third);
        Assert.Contains("did you mean gpuu?", (await first.AshlarAsync("status")).Output, StringComparison.Ordinal);
        await third.DownAsync();
        await first.DownAsync();
    }

    [MachinesFact(HostNeed.Root)]
    public async Task A_host_is_added_over_ssh_and_a_second_time_nothing_happens()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = (new StackMachine(net[0], StackFile), new StackMachine(net[1], null));
        await first.UpAsync();
        var (ssh, server) = await SshAsync(net[0], net[1]);
        string[] add = ["machines", "add", $"root@{net[1].Address}", "--name", "m2", "--label", "web", "--path", second.Folder, "--ssh", ssh];

        // What goes wrong names the step, and what the other side said.
        var refused = await first.AshlarAsync([.. add[..^1], ssh.Replace("known", "unknown", StringComparison.Ordinal)]);
        Assert.Contains("ASH6032", refused.Error, StringComparison.Ordinal);
        Assert.Contains("Host key verification failed", refused.Error, StringComparison.Ordinal);

        await first.DoAsync(add);
        Assert.Equal(("alive", "web"), await StateAndLabelsAsync(first, "m2"));
        await UntilAsync(Soon, async () => (await InstancesAsync(second, "edge")).Count(i => i.State == "healthy") == 2);
        await AnswersAsync(first, second);
        var pids = await PidsAsync(second, "edge", "m2");
        await first.DoAsync(add);
        Assert.Equal(pids, await PidsAsync(second, "edge", "m2"));
        server.Kill();
        await second.DownAsync();
        await first.DownAsync();
    }

    private static async Task IsOnAsync(StackMachine machine, params string[] machines)
    {
        var where = (await InstancesAsync(machine, "web")).Where(i => i.State == "healthy").Select(i => i.Machine).Order();
        Assert.True(where.SequenceEqual(machines), $"{string.Join(' ', where)}\n{await machine.DoAsync("machines", "list")}{await machine.DoAsync("ps")}{machine.AgentLog()}");
    }

    private static async Task<(string State, string Note)> LineAsync(StackMachine machine, string name)
    {
        var line = await FindAsync(machine, name);
        return (line.GetProperty("state").GetString()!, line.GetProperty("note").GetString()!);
    }

    private static async Task<(string State, string Labels)> StateAndLabelsAsync(StackMachine machine, string name)
    {
        var line = await FindAsync(machine, name);
        return (line.GetProperty("state").GetString()!, string.Join(' ', line.GetProperty("labels").EnumerateArray().Select(label => label.GetString())));
    }

    private static async Task<JsonElement> FindAsync(StackMachine machine, string name)
    {
        using var list = JsonDocument.Parse(await machine.DoAsync("machines", "list", "--json"));
        return list.RootElement.GetProperty("machines").EnumerateArray().First(line => line.GetProperty("name").GetString() == name).Clone();
    }

    /// <summary>An ssh server on a host, with a disk of its own for programs, and the command that reaches it from another.</summary>
    private static async Task<(string Command, HostProcess Server)> SshAsync(MachineHost from, MachineHost to)
    {
        var folder = Directory.CreateDirectory(Path.Combine(to.Folder, "ssh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        foreach (var key in new[] { "host", "user" })
        {
            var made = await from.ExecAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, key)]);
            Assert.Equal(0, made.ExitCode);
        }

        File.WriteAllText(Path.Combine(folder, "known"), $"{to.Address} {File.ReadAllText(Path.Combine(folder, "host.pub"))}");
        File.WriteAllText(Path.Combine(folder, "unknown"), "");
        File.WriteAllText(Path.Combine(folder, "config"), string.Create(CultureInfo.InvariantCulture, $"""
            ListenAddress {to.Address}
            HostKey {folder}/host
            AuthorizedKeysFile {folder}/user.pub
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin prohibit-password

            """));
        const string script = "mount -t tmpfs none /opt && mount -t tmpfs none /usr/local/bin && mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -f \"$0\"";
        var server = to.Run("unshare", ["--mount", "sh", "-c", script, Path.Combine(folder, "config")]);
        var ssh = $"ssh -F none -i {folder}/user -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile={folder}/known";
        await UntilAsync(Soon, async () => (await from.ExecAsync("ssh", [.. ssh.Split(' ').Skip(1), $"root@{to.Address}", "true"])).ExitCode == 0);
        return (ssh, server);
    }

    /// <summary>Asks the edges of machines one after the other, until it is ended; no answer may fail.</summary>
    private sealed class Load : IDisposable
    {
        private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };
        private readonly CancellationTokenSource _ending = new();
        private Task<int> _asking = Task.FromResult(0);

        public static Load Begin(params StackMachine[] machines)
        {
            var load = new Load();
            load._asking = load.AskAsync(machines);
            return load;
        }

        public async Task EndAsync()
        {
            await _ending.CancelAsync();
            Assert.True(await _asking > 0);
        }

        public void Dispose()
        {
            _ending.Dispose();
            _client.Dispose();
        }

        private async Task<int> AskAsync(StackMachine[] machines)
        {
            var asked = 0;
            for (; !_ending.IsCancellationRequested; asked++)
            {
                using var answer = await _client.GetAsync(new Uri($"http://{machines[asked % machines.Length].Edge}/up"));
                Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} after {asked}");
                await Task.Delay(5);
            }

            return asked;
        }
    }
}
