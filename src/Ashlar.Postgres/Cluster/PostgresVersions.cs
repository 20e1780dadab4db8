using System.Globalization;

namespace Ashlar.Postgres;

/// <summary>Major versions, and where the machine has them.</summary>
internal static class PostgresVersions
{
    /// <summary>Oldest that has what the cluster relies on (a bound on what slots keep).</summary>
    public const int Oldest = 13;

    /// <summary>Newest in the table of settings.</summary>
    public const int Newest = 18;

    /// <summary>The one that all tests run with.</summary>
    public const int Proven = 15;

    private static readonly (string Root, string Prefix, string Suffix)[] Places =
    [
        ("/usr/lib/postgresql", "", "bin"), // Debian, Ubuntu, Alpine
        ("/usr", "pgsql-", "bin"), // the project's packages for Red Hat
        ("/opt/homebrew/opt", "postgresql@", "bin"),
    ];

    /// <summary>Folders of the programs, by major version; only those that hold a server.</summary>
    public static IReadOnlyDictionary<int, string> Installed() => Installed(Places);

    /// <inheritdoc cref="Installed()"/>
    public static IReadOnlyDictionary<int, string> Installed(IEnumerable<(string Root, string Prefix, string Suffix)> places)
    {
        var found = new SortedDictionary<int, string>();
        foreach (var (root, prefix, suffix) in places.Where(place => Directory.Exists(place.Root)))
        {
            foreach (var folder in Directory.EnumerateDirectories(root, $"{prefix}*"))
            {
                var bin = Path.Combine(folder, suffix);
                if (int.TryParse(Path.GetFileName(folder).AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
                    && File.Exists(Path.Combine(bin, "postgres")))
                {
                    found.TryAdd(version, bin);
                }
            }
        }

        return found;
    }

    /// <summary>The version for new data where none is asked for; null: there is none that is known.</summary>
    public static int? Preferred(IReadOnlyDictionary<int, string> installed) =>
        installed.ContainsKey(Proven) ? Proven : installed.Keys.Where(v => v is >= Oldest and <= Newest).Select(v => (int?)v).Max();

    /// <summary>The version to run and the folder of its programs.</summary>
    /// <param name="asked">What the stack asks for; null: nothing.</param>
    /// <param name="ofData">Version of the data that is there; null: none is.</param>
    /// <param name="folder">Folder of the data, for errors.</param>
    /// <param name="installed">What there is.</param>
    /// <exception cref="Errors.AshlarException">ASH7001, ASH7002, ASH7003.</exception>
    public static (int Version, string Programs) Choose(int? asked, int? ofData, string folder, IReadOnlyDictionary<int, string> installed)
    {
        if (ofData is { } data && asked is { } wanted && data != wanted)
        {
            throw PostgresErrors.OtherVersion(folder, data, wanted);
        }

        var version = ofData ?? asked;
        if (version is < Oldest or > Newest)
        {
            throw PostgresErrors.UnknownVersion(version.Value);
        }

        if (version is null && Preferred(installed) is null)
        {
            throw installed.Count == 0 ? PostgresErrors.NotInstalled(null, []) : PostgresErrors.UnknownVersion(installed.Keys.Max());
        }

        var chosen = version ?? Preferred(installed)!.Value;
        return installed.TryGetValue(chosen, out var programs) ? (chosen, programs) : throw PostgresErrors.NotInstalled(chosen, [.. installed.Keys]);
    }
}
