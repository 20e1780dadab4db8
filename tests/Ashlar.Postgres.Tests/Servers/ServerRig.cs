using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Testing;
using Npgsql;

namespace Ashlar.Postgres.Tests.Servers;

/// <summary>Folders of servers, prepared and run as the agent would: as another user where the tests are root.</summary>
internal sealed class ServerRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();
    private readonly List<Process> _started = [];

    public ServerRig(string? state = null)
    {
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        State = state ?? _folder.Path;
    }

    /// <summary>What stands for the stack's state folder.</summary>
    public string State { get; }

    /// <summary>A folder that is no part of it.</summary>
    public string Other => _folder.Path;

    public static ImmutableSortedDictionary<string, string> Passwords { get; } =
        new[] { "ashlar", "replicator", "app" }.ToImmutableSortedDictionary(user => user, user => $"PasswordOf{user}");

    public PostgresOptions Primary { get; } = Options("database.1", null);

    /// <summary>What a server is told; the state folder is filled in when it starts.</summary>
    public static PostgresOptions Options(string instance, PostgresOptions? follows) => new()
    {
        Instance = instance,
        State = "",
        Follows = follows is null ? null : (follows.Instance, follows.Port),
        Port = Ports.Free(),
        Database = "shop",
        Passwords = Passwords,
        Memory = 64 << 20,
    };

    public string FolderOf(PostgresOptions options) => ClusterNames.Folder(State, options.Instance);

    public string DataOf(PostgresOptions options) => Path.Combine(FolderOf(options), "pg");

    /// <summary>Makes the folder as the agent does.</summary>
    public async Task MakeFolderAsync(PostgresOptions options)
    {
        if (Directory.Exists(FolderOf(options)))
        {
            return;
        }

        Directory.CreateDirectory(FolderOf(options), (UnixFileMode)0b111_000_000);
        File.SetUnixFileMode(Path.GetDirectoryName(FolderOf(options))!, (UnixFileMode)0b111_101_101);
        await GiveAsync(FolderOf(options));
    }

    /// <summary>Gives files to the user that servers run as.</summary>
    public static async Task GiveAsync(string path, string user = "postgres")
    {
        if (OtherUser.Possible)
        {
            Assert.Equal(0, (await ProgramRun.RunAsync("chown", ["-R", $"{user}:", path])).ExitCode);
        }
    }

    /// <summary>Prepares it and runs it; gives what it says if it ends instead.</summary>
    public async Task<string> StartAsync(PostgresOptions options, bool mustStart = true)
    {
        await MakeFolderAsync(options);
        var told = options with { State = State };
        string[] command = [TestProgram.Path, "postgres", .. told.ToArguments()];
        var start = OtherUser.Possible
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", "--", .. command])
            : new ProcessStartInfo(command[0], command[1..]);
        start.RedirectStandardError = true;
        start.WorkingDirectory = "/";
        foreach (var (name, value) in told.ToVariables())
        {
            start.Environment[name] = value;
        }

        if (told.HeldSince is { } since)
        {
            start.Environment[HeldData.Variable] = HeldData.Write(since);
        }

        var process = Process.Start(start)!;
        _started.Add(process);
        var said = new System.Text.StringBuilder();
        var ready = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, e) =>
        {
            lock (said)
            {
                said.AppendLine(e.Data);
            }

            if (e.Data is null || e.Data.Contains("ready to accept", StringComparison.Ordinal))
            {
                ready.TrySetResult(e.Data is not null);
            }
        };
        process.BeginErrorReadLine();
        var runs = await ready.Task.WaitAsync(Patience);
        lock (said)
        {
            Assert.True(runs == mustStart, said.ToString());
            return said.ToString();
        }
    }

    /// <summary>Tries to start one that cannot; gives the code of its error.</summary>
    public async Task<string> RefusalAsync(PostgresOptions options)
    {
        var said = await StartAsync(options, mustStart: false);
        var error = Errors.ErrorLines.Find(said.Split('\n'));
        Assert.True(error is { NextStep.Length: > 0 }, said);
        return error!.Code;
    }

    /// <summary>Ends a server in order.</summary>
    public async Task StopAsync(PostgresOptions options)
    {
        var pid = PidOf(options);
        Assert.Equal(0, (await ProgramRun.RunAsync("kill", ["-INT", pid.ToString(CultureInfo.InvariantCulture)])).ExitCode);
        await Until(() => !File.Exists(Path.Combine(DataOf(options), "postmaster.pid")), "the server ends");
    }

    public int PidOf(PostgresOptions options) => int.Parse(File.ReadLines(Path.Combine(DataOf(options), "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    /// <summary>Runs a query and gives its first value as text.</summary>
    public static async Task<string> AskAsync(PostgresOptions server, string query, string user = "app", string? database = null)
    {
        await using var connection = new NpgsqlConnection(Connections.To(server.Port, user, Passwords[user], database ?? "shop"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(query, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture) ?? "";
    }

    public static async Task Until(Func<bool> isSo, string what) => await Until(() => Task.FromResult(isSo()), what);

    public static async Task Until(Func<Task<bool>> isSo, string what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"Not within {Patience.TotalSeconds} s: {what}");
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }

            await process.WaitForExitAsync();
            process.Dispose();
        }

        foreach (var data in Directory.Exists(Path.Combine(State, "data")) ? Directory.GetDirectories(Path.Combine(State, "data")) : [])
        {
            await Remains.EndAsync(Path.Combine(data, "pg"), CancellationToken.None);
        }

        _folder.Dispose();
    }
}
