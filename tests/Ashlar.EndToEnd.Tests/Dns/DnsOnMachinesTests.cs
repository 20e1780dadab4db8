using Ashlar.EndToEnd.Tests.Machines;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Dns;

/// <summary>Every machine answers the same, and a machine that is lost is named no more.</summary>
[Trait("Length", "Full")]
public sealed class DnsOnMachinesTests
{
    [MachinesFact]
    public async Task Both_machines_answer_alike_and_drop_the_address_of_one_that_is_lost()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await TwoAsync(net, FleetSteps.StackFile.Replace("name: rig", "name: rig\ndomains: rig.test", StringComparison.Ordinal) + "\ndns:\n  listen: 53\n  resolvers: off\n  zones: {rig.test: {}}\n");
        string[] both = [.. new[] { first, second }.Select(machine => machine.Host.Address.ToString()).Order(StringComparer.Ordinal)];
        foreach (var asked in new[] { first, second })
        {
            await UntilAsync(Soon, async () => (await AskAsync(first, asked, "rig.test")).SequenceEqual(both));
        }

        // What is added on one is told by both.
        await second.DoAsync("dns", "add", "mail.rig.test", "A", "192.0.2.7");
        foreach (var asked in new[] { first, second })
        {
            await UntilAsync(Soon, async () => await AskAsync(second, asked, "mail.rig.test") is ["192.0.2.7"]);
        }

        Assert.Equal(await AskAsync(first, first, "rig.test", "SOA"), await AskAsync(first, second, "rig.test", "SOA"));
        await net.KillAsync(net[1]);
        await UntilAsync(Soon, async () => await AskAsync(first, first, "rig.test") is [var left] && left == first.Host.Address.ToString());
    }

    private static async Task<string[]> AskAsync(StackMachine from, StackMachine asked, string name, string type = "A")
    {
        var result = await from.Host.ExecAsync("kdig", ["+short", "+retry=0", "+timeout=2", $"@{asked.Host.Address}", name, type]);
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }
}
