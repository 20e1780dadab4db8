using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Postgres;

/// <summary>
/// <c>ashlar postgres</c>: looks at the data, makes or mends what must be before PostgreSQL can start on it, and becomes PostgreSQL.
/// It only looks at what is, so it may be ended at any point and started again.
/// </summary>
public static class PostgresProcess
{
    private const int FailedExitCode = 1;
    private const long NeedsToStart = 32L << 20;
    private const int LongestSocketPath = 107;
    private static readonly TimeProvider Time = TimeProvider.System;

    /// <summary>Does it. Returns only when it cannot.</summary>
    /// <param name="arguments">As the plan wrote them.</param>
    /// <returns>The exit code, with the error on standard error.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .ToImmutableSortedDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);
            var options = PostgresOptions.Parse(arguments, variables);
            var (program, words) = await PrepareAsync(options, CancellationToken.None);
            var environment = variables.RemoveRange(variables.Keys.Where(PostgresOptions.IsOurs)).SetItem("LC_ALL", "C.UTF-8");
            ExecInPlace.Run(program, words, environment);
            return FailedExitCode;
        }
        catch (AshlarException e)
        {
            return Refuse(e.Error);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refuse(PostgresErrors.ToolFailed("the preparation of the server", e.Message.TrimEnd('.')).Error);
        }
    }

    /// <summary>Prepares the start.</summary>
    /// <returns>Path of the server's program, and its argv.</returns>
    /// <exception cref="AshlarException">ASH70xx: it cannot start now; no data was changed.</exception>
    internal static async Task<(string Program, ImmutableArray<string> Words)> PrepareAsync(PostgresOptions options, CancellationToken cancellation)
    {
        var folder = new DataFolder(options.Folder);
        var (version, programs) = PostgresVersions.Choose(options.Version, folder.Version(), folder.Data, PostgresVersions.Installed());
        FreshCluster.RequireRoom(folder, NeedsToStart);
        if (await Remains.EndAsync(folder.Data, cancellation) is var ended and > 0)
        {
            Say($"{ended} {(ended == 1 ? "process" : "processes")} of a server that was killed had to be ended");
        }

        var settings = Settings(options, folder, version);
        Configuration.Write(folder, options, settings);
        if (options.Follows is null)
        {
            await PreparePrimaryAsync(options, folder, programs, cancellation);
        }
        else
        {
            await ReplicaPreparation.RunAsync(options, folder, programs, Say, Time, cancellation);
            Configuration.Write(folder, options, await RaisedAsync(settings, folder, programs, cancellation));
        }

        Configuration.Include(folder.Data);
        var sockets = SocketFolder(folder.Path, options.Port);
        return (Path.Combine(programs, "postgres"), ["postgres", "-D", folder.Data, .. Configuration.CommandLine(folder, options, sockets)]);
    }

    private static int Refuse(AshlarError error)
    {
        Console.Error.Write(ErrorLines.Write(error));
        Console.Error.Flush();
        return FailedExitCode;
    }

    private static async Task PreparePrimaryAsync(PostgresOptions options, DataFolder folder, string programs, CancellationToken cancellation)
    {
        if (!folder.HasData)
        {
            if (options.HeldSince is { } since && !folder.MayStartEmpty)
            {
                throw PostgresErrors.DataMissing(folder, since, Copies(options));
            }

            Say("a new database is made");
            await FreshCluster.MakeAsync(folder, programs, options, Time, cancellation);
            folder.ForgetStartEmpty();
            return;
        }

        folder.ForgetStartEmpty();

        if (folder.IsStandby)
        {
            throw PostgresErrors.IsAReplica(folder.Data);
        }

        folder.ClearPreparing();
        Configuration.Include(folder.Data);
        var wanted = ClusterUsers.Wanted(options);
        var before = ClusterUsers.Read(folder);
        if (before != wanted)
        {
            Say("the users of the database are set up");
            await ClusterUsers.ApplyAsync(programs, folder.Data, options, before, cancellation);
            ClusterUsers.Write(folder, wanted);
        }
        else if ((await ReplicaPreparation.ControlAsync(folder.Data, programs, cancellation)).EndedInOrder)
        {
            // An app that has changed its own password or rights gets in again. Not after a crash, which is to be over soon.
            await ClusterUsers.ApplyAsync(programs, folder.Data, options, before, cancellation);
        }
    }

    // What replicas have may be the last that is left of it.
    private static IEnumerable<DataFolder> Copies(PostgresOptions options) => Enumerable.Range(2, ClusterNames.MostReplicas)
        .Select(index => new DataFolder(ClusterNames.Folder(options.State, ClusterNames.Instance(index)))).Where(copy => copy.HasData && copy.IsStandby);

    private static ImmutableSortedDictionary<string, string> Settings(PostgresOptions options, DataFolder folder, int version)
    {
        var memory = options.Memory ?? Machine.Share(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        SettingsTable.Check(options.Settings);
        return SettingsTable.For(new Machine(version, memory, folder.Disk().Total), options.Settings);
    }

    // A standby with less than its primary has does not start; its own data says what the primary has.
    private static async Task<ImmutableSortedDictionary<string, string>> RaisedAsync(
        ImmutableSortedDictionary<string, string> settings, DataFolder folder, string programs, CancellationToken cancellation)
    {
        var control = await ReplicaPreparation.ControlAsync(folder.Data, programs, cancellation);
        foreach (var (setting, name) in SettingsTable.Floors)
        {
            var floor = control.Number(name);
            if (!settings.TryGetValue(setting, out var own) ? floor > 0 : int.TryParse(own, CultureInfo.InvariantCulture, out var number) && number < floor)
            {
                settings = settings.SetItem(setting, floor.ToString(CultureInfo.InvariantCulture));
            }
        }

        return settings;
    }

    // The kernel takes no longer path. Nothing of ours needs the socket: people may, who know the machine.
    private static string SocketFolder(string folder, int port) =>
        System.Text.Encoding.UTF8.GetByteCount(folder) + string.Create(CultureInfo.InvariantCulture, $"/.s.PGSQL.{port}.lock").Length <= LongestSocketPath ? folder : "";

    private static void Say(string text) => Console.Error.WriteLine($"{Time.GetUtcNow():yyyy-MM-dd HH:mm:ss.fff} UTC ashlar: {text}");
}
