using System.Diagnostics;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Examples;

/// <summary>The tour of the README, as a newcomer walks it: every command, on a copy of the storefront, with what it is shown to say.</summary>
[Trait("Length", "Full")]
public sealed class TourTests(RunningStorefront shop) : IClassFixture<RunningStorefront>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Every_command_of_the_README_says_what_it_shows()
    {
        var tour = Tour.Read(await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "README.md")));
        Assert.True(tour.Count > 20, $"only {tour.Count} commands were found");
        foreach (var step in tour)
        {
            // What has to happen first may take a moment; a command that only looks is asked again.
            for (var waited = Stopwatch.StartNew(); ; await Task.Delay(500))
            {
                var said = await RunAsync(step.Command);
                var isMeant = (said.ExitCode == 0) != step.Fails;
                if (isMeant && step.MissingIn(said.Output) is null)
                {
                    break;
                }

                Assert.True(step.Looks && waited.Elapsed < Patience,
                    $"$ {step.Command}\nends with {said.ExitCode} and does not say: {step.MissingIn(said.Output)}\n{said.Output}\n{shop.Rig.AgentLog()}");
            }
        }
    }

    // The shell of somebody in the checkout, but for the ports and for where the stack lies.
    private Task<ProgramResult> RunAsync(string command)
    {
        var here = command.Replace("./ashlar", "ashlar", StringComparison.Ordinal).Replace("examples/storefront", ".", StringComparison.Ordinal)
            .Replace("8080", $"{shop.Rig.Port}", StringComparison.Ordinal).Replace("8443", $"{shop.Rig.SecurePort()}", StringComparison.Ordinal)
            .Replace("5300", $"{shop.Rig.DnsPort()}", StringComparison.Ordinal);
        return ProgramRun.RunAsync("bash", ["-c", $"exec 2>&1\nashlar() {{ '{Checkout.Ashlar}' \"$@\"; }}\n{here}"], shop.Rig.Folder,
            new Dictionary<string, string?> { ["NO_COLOR"] = "1" }, timeoutSeconds: 300);
    }
}
