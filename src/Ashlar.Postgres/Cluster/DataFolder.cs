using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Postgres;

/// <summary>
/// The folder of one server: its data in <c>pg</c>, our files beside it. Data is made in <c>pg.preparing</c> and renamed when it is
/// whole, so <c>pg</c> is never half of ours, and nothing that is in it is ever deleted except a copy that has been replaced.
/// </summary>
internal sealed class DataFolder(string path)
{
    private const string OldPrefix = "pg.old-";
    private const UnixFileMode ForOthers = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute | UnixFileMode.GroupWrite;

    /// <summary>The folder itself.</summary>
    public string Path => path;

    /// <summary>The data.</summary>
    public string Data => In("pg");

    /// <summary>Data that is not whole yet.</summary>
    public string Preparing => In("pg.preparing");

    /// <summary>Our settings, which postgresql.conf includes.</summary>
    public string Settings => In("ashlar.conf");

    /// <summary>Who may connect.</summary>
    public string HostAccess => In("pg_hba.conf");

    /// <summary>Which system user may be which database user.</summary>
    public string Identities => In("pg_ident.conf");

    /// <summary>Password that the server streams with.</summary>
    public string PassFile => In("pgpass");

    /// <summary>What the users of the data were last set up by.</summary>
    public string Record => In("ashlar.users");

    /// <summary>True: a person has said that a new database may be made although there was one.</summary>
    public bool MayStartEmpty => File.Exists(In(HeldData.StartEmpty));

    /// <summary>That word holds once.</summary>
    public void ForgetStartEmpty() => File.Delete(In(HeldData.StartEmpty));

    /// <summary>True: there is data.</summary>
    public bool HasData => Directory.Exists(Data) && Directory.EnumerateFileSystemEntries(Data).Any();

    /// <summary>True: the data is of a server that follows another.</summary>
    public bool IsStandby => File.Exists(System.IO.Path.Combine(Data, "standby.signal"));

    /// <summary>Major version of the data; null: there is none.</summary>
    /// <exception cref="Errors.AshlarException">ASH7004, ASH7005, ASH7013: it is not data that this user can run.</exception>
    public int? Version()
    {
        if (!HasDataOrOther())
        {
            return null;
        }

        var info = new FileInfo(System.IO.Path.Combine(Data, "PG_VERSION"));
        if (!info.Exists)
        {
            throw PostgresErrors.NotACluster(Data, "PG_VERSION is missing");
        }

        // 9.6 and older have two numbers: the first alone says enough.
        var text = info.Length < 100 ? File.ReadAllText(info.FullName).Trim().Split('.')[0] : "";
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            throw PostgresErrors.NotACluster(Data, "PG_VERSION holds no version");
        }

        if (!File.Exists(System.IO.Path.Combine(Data, "global", "pg_control")))
        {
            throw PostgresErrors.NotACluster(Data, "global/pg_control is missing");
        }

        var mode = File.GetUnixFileMode(Data);
        if ((mode & ForOthers) != UnixFileMode.None)
        {
            throw PostgresErrors.OpenToOthers(Data, Convert.ToString((int)mode, 8));
        }

        return version;
    }

    /// <summary>Major version of the data in a server's folder, for those who only look; null: it cannot be told.</summary>
    public static int? VersionIn(string folder)
    {
        try
        {
            return int.TryParse(File.ReadAllText(System.IO.Path.Combine(folder, "pg", "PG_VERSION")).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Empties the place where new data is made. What is there is ours and was never in use.</summary>
    public void ClearPreparing() => Delete(Preparing);

    /// <summary>Puts the new data in its place, at once and for good; what was there before is moved aside.</summary>
    /// <param name="time">The clock, for its name.</param>
    /// <returns>Where it was moved; null: there was nothing.</returns>
    public string? Install(TimeProvider time)
    {
        string? aside = null;
        if (Directory.Exists(Data))
        {
            aside = In($"{OldPrefix}{time.GetUtcNow():yyyyMMdd-HHmmss}");
            Directory.Move(Data, aside);
        }

        Directory.Move(Preparing, Data);
        Files.SyncFolder(path);
        return aside;
    }

    /// <summary>Deletes copies that were replaced by newer ones.</summary>
    public void DeleteReplaced()
    {
        foreach (var old in Directory.EnumerateDirectories(path, OldPrefix + "*"))
        {
            Delete(old);
        }
    }

    /// <summary>Bytes free for us, and in all, on its disk.</summary>
    public (long Free, long Total) Disk()
    {
        var drive = new DriveInfo(path);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private bool HasDataOrOther()
    {
        if (!Directory.Exists(Data))
        {
            return false;
        }

        var owner = Files.OwnerOf(Data);
        if (owner is { } uid && uid != SystemUsers.Current.Uid)
        {
            throw PostgresErrors.OtherOwner(Data, SystemUsers.Find(uid)?.Name ?? $"#{uid}", SystemUsers.Current.Name);
        }

        try
        {
            return HasData;
        }
        catch (UnauthorizedAccessException)
        {
            throw PostgresErrors.OpenToOthers(Data, Convert.ToString((int)File.GetUnixFileMode(Data), 8));
        }
    }

    private string In(string name) => System.IO.Path.Combine(path, name);
}
