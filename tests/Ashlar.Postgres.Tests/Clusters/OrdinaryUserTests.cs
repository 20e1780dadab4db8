using System.Globalization;
using Ashlar.Testing;

namespace Ashlar.Postgres.Tests.Clusters;

/// <summary>Everything as a user who is not root: the servers run as that user.</summary>
public sealed class OrdinaryUserTests
{
    [Fact]
    public async Task Somebody_who_is_not_root_has_a_database_too()
    {
        if (!OtherUser.Possible)
        {
            return; // Then all the other tests show it.
        }

        using var folder = new TempFolder();
        folder.Write("ashlar.yaml", $$"""
            name: rig
            edge: {listen: {http: "127.0.0.1:{{Ports.Free()}}" } }
            dashboard: off
            services: {worker: {run: sleep 1000} }
            database: {}
            """);
        Assert.Equal(0, (await ProgramRun.RunAsync("chown", ["-R", "nobody:", folder.Path])).ExitCode);
        var run = await ProgramRun.RunAsync("setpriv",
            ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--", TestProgram.Path, "up-and-down", folder.Path]);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains(OtherUser.Nobody.ToString(CultureInfo.InvariantCulture), run.Output);
    }
}
