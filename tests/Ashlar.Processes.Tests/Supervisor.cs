using System.Globalization;

namespace Ashlar.Processes.Tests;

/// <summary>
/// A supervisor in a process of its own, for the tests that kill it or let it replace itself. It prints what it does.
/// </summary>
public static class Supervisor
{
    /// <summary>The command that runs it.</summary>
    public static string[] Command(params string[] arguments) =>
        [Environment.ProcessPath!, "exec", typeof(Supervisor).Assembly.Location, .. arguments];

    /// <summary>The line that tells of a process, and back.</summary>
    public static ProcessIdentity Parse(string line) =>
        line.Split(' ') is [_, var pid, var start, var boot]
            ? new ProcessIdentity(int.Parse(pid, CultureInfo.InvariantCulture), long.Parse(start, CultureInfo.InvariantCulture), boot)
            : throw new FormatException(line);

    private static string Line(ProcessIdentity identity) => $"child {identity.Pid} {identity.StartTime} {identity.BootId}";

    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["start", var folder, var script, var tag]:
                // Starts it and waits to be killed.
                Start(folder, script, tag);
                await Task.Delay(Timeout.Infinite);
                return 0;
            case ["replace", var folder, var script, var tag]:
                // Starts it and becomes a new program that adopts it.
                var child = Start(folder, script, tag);
                Console.WriteLine($"before {Environment.ProcessId}");
                var next = Command("adopt", tag, Line(child.Identity));
                var environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
                    .ToDictionary(pair => (string)pair.Key, pair => (string)pair.Value!);
                ExecInPlace.Run(next[0], next, environment, folder);
                return 1;
            case ["adopt", var tag, var line]:
                Console.WriteLine($"after {Environment.ProcessId} in {Environment.CurrentDirectory}");
                using (var launcher = new ProcessLauncher("none", null, new ControlGroups(null, false, null, null)))
                {
                    var adopted = launcher.Adopt(Parse(line), tag);
                    File.WriteAllText("go", "");
                    Console.WriteLine(adopted is null ? "nobody" : (await adopted.Exited).ToString());
                }
                return 0;
            case ["exec", var program, .. var rest]:
                ExecInPlace.Run(program, [program, .. rest], new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["ONLY"] = "this" });
                return 1;
            default:
                return 2;
        }
    }

    private static ManagedProcess Start(string folder, string script, string tag)
    {
        var process = new ProcessLauncher("none", null, new ControlGroups(null, false, null, null)).Start(new LaunchSpec
        {
            Command = ["/bin/sh", "-c", script],
            WorkingDirectory = folder,
            LogPath = Path.Combine(folder, "child.log"),
            Tag = tag,
        });
        Console.WriteLine(Line(process.Identity));
        return process;
    }
}
