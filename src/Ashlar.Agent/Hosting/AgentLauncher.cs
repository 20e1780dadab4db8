using System.Diagnostics;
using Ashlar.Agent.Api;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Agent.Hosting;

/// <summary>Finds the agent of a stack, starts it if there is none, and brings it to the version of the program that asks.</summary>
public static class AgentLauncher
{
    private const int LastLines = 5;
    private static readonly string DoesNotAnswerCode = AgentErrors.DoesNotAnswer("", 0, "").Error.Code;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    // Output goes to the log, and nothing ties the agent to our terminal or session.
    private const string Detach = "exec </dev/null >>\"$0\" 2>&1; exec \"$@\"";

    /// <summary>A connection to the agent of the stack, running the build of <paramref name="program"/>.</summary>
    /// <param name="stackFolder">Real path of the folder that holds the stack file.</param>
    /// <param name="program">Absolute path of the <c>ashlar</c> program.</param>
    /// <param name="progress">Told if an agent of another build is replaced.</param>
    /// <param name="cancellation">Ends the waiting; an agent that was started goes on.</param>
    /// <exception cref="AshlarException">ASH4003: it does not start; ASH4004; ASH4017: it cannot be replaced.</exception>
    public static async Task<AgentClient> EnsureRunningAsync(
        string stackFolder, string program, Action<string>? progress = null, CancellationToken cancellation = default)
    {
        var (client, status) = await AnsweredAsync(
            async () => await AgentClient.FindAsync(stackFolder, cancellation) ?? await StartAsync(stackFolder, program, cancellation), cancellation);
        if (status.ProgramVersion == ProgramIdentity.Of(program))
        {
            return client;
        }

        progress?.Invoke("The agent runs another build: it becomes this one in place.");
        return await UpgradeAsync(client, stackFolder, program, cancellation);
    }

    /// <summary>Makes the agent become a program in place, and gives a connection to it.</summary>
    /// <exception cref="AshlarException">ASH4017, ASH4003.</exception>
    public static async Task<AgentClient> UpgradeAsync(
        AgentClient client, string stackFolder, string program, CancellationToken cancellation = default)
    {
        var offset = LogLength(stackFolder);
        try
        {
            await client.CallAsync<UpgradeArguments, UpResult>(AgentVerbs.Upgrade, new UpgradeArguments(program), null, cancellation);
        }
        catch (AshlarException e) when (e.Error.Code == AgentErrors.ConnectionLost("").Error.Code)
        {
            // The connection ends with the old program: that is how it goes.
        }

        await client.DisposeAsync();
        return (await AnsweredAsync(() => AnsweringAsync(stackFolder, offset, () => false, cancellation), cancellation)).Client;
    }

    // An agent that has just been killed, or becomes another program, may take one more connection with it.
    private static async Task<(AgentClient Client, StatusReport Status)> AnsweredAsync(Func<Task<AgentClient>> connect, CancellationToken cancellation)
    {
        var began = Stopwatch.StartNew();
        while (true)
        {
            var client = await connect();
            try
            {
                return (client, await client.StatusAsync(cancellation));
            }
            catch (AshlarException e) when (e.Error.Code == AgentErrors.ConnectionLost("").Error.Code && began.Elapsed < Patience)
            {
                await client.DisposeAsync();
            }
        }
    }

    private static async Task<AgentClient> StartAsync(string stackFolder, string program, CancellationToken cancellation)
    {
        var state = StateFolder.Of(stackFolder);
        state.CreateForLog();
        var offset = LogLength(stackFolder);
        var start = new ProcessStartInfo("setsid")
        {
            UseShellExecute = false,
            WorkingDirectory = stackFolder,
            ArgumentList = { "/bin/sh", "-c", Detach, state.AgentLog, program, "agent", "--stack", stackFolder },
        };
        foreach (var (name, value) in ChildEnvironment.SmallProcess)
        {
            start.Environment.TryAdd(name, value);
        }

        using var process = Process.Start(start) ?? throw AgentErrors.DidNotStart(state.AgentLog, []);
        return await AnsweringAsync(stackFolder, offset, () => process.HasExited, cancellation);
    }

    private static async Task<AgentClient> AnsweringAsync(string stackFolder, long logOffset, Func<bool> ended, CancellationToken cancellation)
    {
        var began = Stopwatch.StartNew();
        while (true)
        {
            // Another command may have started one at the same moment: ours then ended, and theirs is waited for.
            var over = ended() || began.Elapsed > Patience;
            try
            {
                if (await AgentClient.FindAsync(stackFolder, cancellation) is { } client)
                {
                    return client;
                }
            }
            catch (AshlarException e) when (e.Error.Code == DoesNotAnswerCode && !over)
            {
                // It becomes the new program: the same process, without its socket for a while.
            }

            if (over)
            {
                var log = StateFolder.Of(stackFolder).AgentLog;
                throw AgentErrors.DidNotStart(log, Tail(log, logOffset));
            }

            await Task.Delay(Between, cancellation);
        }
    }

    private static long LogLength(string stackFolder) => new FileInfo(StateFolder.Of(stackFolder).AgentLog) is { Exists: true } log ? log.Length : 0;

    private static List<string> Tail(string path, long offset)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            const int most = 16 << 10;
            stream.Position = Math.Max(offset, stream.Length - most);
            using var reader = new StreamReader(stream);
            return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(LastLines)];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
