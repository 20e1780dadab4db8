using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

/// <summary>Everything works for a user without rights, home or name. Needs root, to become one.</summary>
public sealed class OrdinaryUserTests
{
    [Theory]
    [InlineData("65534")]
    [InlineData("61234")]
    public async Task An_ordinary_user_brings_a_stack_up_scales_it_and_takes_it_down(string uid)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }
        await using var rig = new StackRig(Stacks.WithWorker("echo \"I am $(id -u)\"; exec sleep 1000"));
        await ProgramRun.RunAsync("chown", ["-R", $"{uid}:{uid}", rig.Folder]);
        try
        {
            Assert.Contains($"http://127.0.0.1:{rig.Port}", await AsAsync("up", "--detach"));
            await rig.ServesAsync();
            Assert.Contains($"I am {uid}", await AsAsync("logs", "worker"));
            Assert.Contains("web 1/1", await AsAsync("ps"));
            await AsAsync("scale", "web=2");
            Assert.Contains("web 2/2", await AsAsync("ps"));
            Assert.All(rig.Leftovers(), process => Assert.Equal(uid, Owner(process.Split(' ')[0])));

            // What such an agent says could make root run anything.
            Refusal.Of(await rig.AshlarAsync("ps"), 6).Is("ASH4027", "agent", rig.Folder);
        }
        finally
        {
            await AsAsync("down");
        }
        rig.IsGone();

        async Task<string> AsAsync(params string[] arguments)
        {
            var result = await ProgramRun.RunAsync(
                "setpriv",
                [$"--reuid={uid}", $"--regid={uid}", "--clear-groups", "--inh-caps=-all", Checkout.Ashlar, .. arguments],
                rig.Folder,
                new Dictionary<string, string?> { ["HOME"] = null, ["NO_COLOR"] = "1" });
            Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result}\n{rig.AgentLog()}");
            return result.Output;
        }
    }

    private static string Owner(string pid) => File.ReadLines($"/proc/{pid}/status")
        .First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1];
}
