using System.Diagnostics;
using System.Globalization;
using Ashlar.Jobs.Queue;
using Ashlar.Testing;
using Npgsql;

namespace Ashlar.Jobs.Tests;

/// <summary>A PostgreSQL of the tests' own: one for all of them, a database each. It runs as another user where the tests are root.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private TempFolder Folder { get; } = new();
    private Process? _process;
    private int _databases;

    public int Port { get; } = Ports.Free();

    private string Data => Path.Combine(Folder.Path, "pg");

    private static string Programs { get; } = Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(folder => folder, StringComparer.Ordinal)
        .Select(folder => Path.Combine(folder, "bin")).First(folder => File.Exists(Path.Combine(folder, "postgres")));

    public async Task InitializeAsync()
    {
        File.SetUnixFileMode(Folder.Path, (UnixFileMode)0b111_111_111);
        var made = await Run("initdb", "-D", Data, "-U", "ashlar", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C").WaitForEnd();
        Assert.Equal(0, made);
        await StartAsync();
        await using var connection = await OpenAsync("ashlar", "postgres");
        await ExecuteAsync(connection, "create role app login");
    }

    /// <summary>Starts it, or starts it again after <see cref="KillAsync"/>.</summary>
    public async Task StartAsync()
    {
        _process = Run("postgres", "-D", Data, "-p", Port.ToString(CultureInfo.InvariantCulture), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "shared_buffers=32MB", "-c", "max_connections=200", "-c", "wal_level=logical").Process;
        for (var i = 0; ; i++)
        {
            try
            {
                await using var connection = await OpenAsync("ashlar", "postgres");
                return;
            }
            catch (NpgsqlException) when (i < 300)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>Has it write what need not be durable ten seconds late.</summary>
    public async Task WriteLateAsync()
    {
        await using var connection = await OpenAsync("ashlar", "postgres");
        await ExecuteAsync(connection, "alter system set wal_writer_delay = '10s'");
        await ExecuteAsync(connection, "select pg_reload_conf()");
    }

    /// <summary>SIGKILL to the server and all its sessions.</summary>
    public async Task KillAsync()
    {
        var pid = int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        await Testing.ProgramRun.RunAsync("sh", ["-c", $"kill -9 {pid} $(pgrep -P {pid} | tr '\\n' ' ')"]);
        await _process!.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>A new database with the schema; gives its settings.</summary>
    internal async Task<JobsSettings> NewAsync(params QueueSettings[] queues)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"shop{Interlocked.Increment(ref _databases)}");
        await using (var connection = await OpenAsync("ashlar", "postgres"))
        {
            await ExecuteAsync(connection, $"create database {name} owner app");
        }

        var settings = new JobsSettings { Port = Port, Database = name, Password = "none", Secret = "whsec_c2VjcmV0b2Z0ZXN0cw==", Queues = [.. queues] };
        await using (var connection = await OpenAsync("ashlar", name))
        {
            await Schema.ApplyAsync(connection, "app", CancellationToken.None);
        }

        return settings;
    }

    public async Task<NpgsqlConnection> OpenAsync(string user, string database)
    {
        var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={Port};Username={user};Database={database};Pooling=false;SSL Mode=Disable;Timeout=10");
        await connection.OpenAsync();
        return connection;
    }

    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> AskAsync<T>(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            var pid = File.ReadLines(Path.Combine(Data, "postmaster.pid")).First();
            await Testing.ProgramRun.RunAsync("kill", ["-QUIT", pid]);
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        Folder.Dispose();
    }

    private (Process Process, Func<Task<int>> WaitForEnd) Run(string program, params string[] arguments)
    {
        string[] command = [Path.Combine(Programs, program), .. arguments];
        var start = OtherUser.Possible
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", "--", .. command])
            : new ProcessStartInfo(command[0], command[1..]);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.WorkingDirectory = "/";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return (process, async () =>
        {
            await process.WaitForExitAsync();
            return process.ExitCode;
        });
    }
}

/// <summary>Tests that share the server.</summary>
[CollectionDefinition(Name)]
public sealed class OnPostgres : ICollectionFixture<PostgresServer>
{
    public const string Name = "PostgreSQL";
}
