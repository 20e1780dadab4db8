using Ashlar.Testing;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>A certificate is made once, and served by every machine.</summary>
[Trait("Length", "Full")]
public sealed class CertificateTests
{
    private const string Stack = """
        name: rig
        domains: [shop.test]
        services:
          web: {run: "'@APP@'", route: /, health: /up, instances: 2}
        edge: {listen: {http: 8080, https: 8443}}
        """;

    [MachinesFact]
    public async Task What_the_leader_has_made_serves_on_both_machines()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await TwoAsync(net, Stack);
        first.Write("ca.pem", await first.DoAsync("certificates", "trust", "--print"));
        Assert.Equal(await first.DoAsync("certificates", "trust", "--print"), await second.DoAsync("certificates", "trust", "--print"));

        foreach (var machine in new[] { first, second })
        {
            await UntilAsync(Soon, async () => (await CurlAsync(first, machine)).Output.Trim() == "200");
        }

        Assert.Equal(Serial(await ShowAsync(first, first)), Serial(await ShowAsync(first, second)));
    }

    private static Task<ProgramResult> CurlAsync(StackMachine from, StackMachine to) => from.Host.ExecAsync(
        "curl", ["-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", Path.Combine(from.Folder, "ca.pem"), "--resolve", $"shop.test:8443:{to.Host.Address}", "https://shop.test:8443/up"]);

    private static async Task<string> ShowAsync(StackMachine from, StackMachine to) => (await from.Host.ExecAsync(
        "sh", ["-c", $"openssl s_client -connect {to.Host.Address}:8443 -servername shop.test </dev/null 2>/dev/null | openssl x509 -noout -serial"])).Output;

    private static string Serial(string output) => output.StartsWith("serial=", StringComparison.Ordinal) ? output.Trim() : throw new InvalidOperationException(output);
}
