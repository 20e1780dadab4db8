using System.Diagnostics;
using System.Globalization;
using Ashlar.Testing;

namespace Ashlar.Postgres;

public sealed class RemainsReapedTests
{
    [Fact]
    public async Task What_was_ended_is_waited_for_until_its_parent_has_reaped_it()
    {
        using var data = new TempFolder();
        var program = Path.Combine(data.Path, "postgres");
        File.Copy("/bin/sleep", program);
        // The shell becomes a program that reaps nobody; its child is init's when it ends.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "./postgres 600 & echo $!; exec sleep 2"])
        {
            WorkingDirectory = data.Path,
            RedirectStandardOutput = true,
        };
        using var parent = Process.Start(start)!;
        var pid = int.Parse((await parent.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        while (File.ReadAllText($"/proc/{pid}/comm").Trim() != "postgres")
        {
            await Task.Delay(10);
        }

        Assert.Equal(1, await Remains.EndAsync(data.Path, CancellationToken.None));
        Assert.False(Directory.Exists($"/proc/{pid}"));
        await parent.WaitForExitAsync();
    }
}
