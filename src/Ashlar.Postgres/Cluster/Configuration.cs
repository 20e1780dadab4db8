using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Ashlar.Processes;

namespace Ashlar.Postgres;

/// <summary>Writes what a server reads at its start. Every file is ours alone and written anew each time, so what it says is never stale.</summary>
internal static class Configuration
{
    private const string IncludeLine = "include_if_exists = '../ashlar.conf'";
    private const string Header = "# Written by Ashlar at each start; changes are lost. Settings belong into 'database: {settings: …}' of the stack file.\n";

    /// <summary>Writes all of it.</summary>
    /// <param name="folder">The server's folder.</param>
    /// <param name="options">What it is told.</param>
    /// <param name="settings">Its settings.</param>
    public static void Write(DataFolder folder, PostgresOptions options, ImmutableSortedDictionary<string, string> settings)
    {
        var text = new StringBuilder(Header);
        foreach (var (name, value) in settings)
        {
            text.Append(name).Append(" = ").Append(Quote(value)).Append('\n');
        }

        if (options.Follows is { } primary)
        {
            var connection = string.Create(CultureInfo.InvariantCulture,
                $"host=127.0.0.1 port={primary.Port} user={ClusterNames.Replicator} application_name={options.Instance} passfile={ConnectionValue(folder.PassFile)}");
            text.Append("primary_conninfo = ").Append(Quote(connection)).Append('\n')
                .Append("primary_slot_name = ").Append(Quote(ClusterNames.Slot(options.Index))).Append('\n')
                .Append("recovery_target_timeline = 'latest'\n");
            Files.Write(folder.PassFile, $"127.0.0.1:*:*:{ClusterNames.Replicator}:{options.Passwords[ClusterNames.Replicator]}\n");
        }

        Files.Write(folder.Settings, text.ToString());
        Files.Write(folder.Identities, $"{Header}ashlar {IdentName(SystemUsers.Current.Name)} {ClusterNames.Owner}\n");
        Files.Write(folder.HostAccess, $"""
            {Header}# type   database     user        address        method
            local   all          {ClusterNames.Owner}                     peer map=ashlar
            host    replication  {ClusterNames.Replicator}  127.0.0.1/32   scram-sha-256
            host    {ClusterNames.Maintenance}     {ClusterNames.Replicator}  127.0.0.1/32   scram-sha-256
            host    all          {ClusterNames.Replicator}  127.0.0.1/32   reject
            host    all          all         127.0.0.1/32   scram-sha-256

            """);
    }

    /// <summary>Has postgresql.conf include our settings. Lines that people have written stay as they are; those after the line stand above it.</summary>
    public static void Include(string data)
    {
        var path = Path.Combine(data, "postgresql.conf");
        var text = File.Exists(path) ? File.ReadAllText(path) : "";
        if (!text.Split('\n').Any(line => line.Trim() == IncludeLine))
        {
            File.AppendAllText(path, $"\n{IncludeLine}\n");
        }
    }

    /// <summary>
    /// What must hold whatever stands in a file or was set by ALTER SYSTEM: the command line stands above all.
    /// </summary>
    /// <param name="folder">The server's folder.</param>
    /// <param name="options">What it is told.</param>
    /// <param name="sockets">Folder of its Unix socket; empty: none.</param>
    public static IEnumerable<string> CommandLine(DataFolder folder, PostgresOptions options, string sockets) =>
        new (string Name, string Value)[]
        {
            ("listen_addresses", "127.0.0.1"), ("port", options.Port.ToString(CultureInfo.InvariantCulture)), ("cluster_name", options.Instance),
            ("hba_file", folder.HostAccess), ("ident_file", folder.Identities), ("unix_socket_directories", sockets), ("unix_socket_permissions", "0700"),
        }.SelectMany(setting => new[] { "-c", $"{setting.Name}={setting.Value}" });

    /// <summary>A value in a configuration file: in quotes, with quotes and backslashes doubled (manual, section 20.1.2).</summary>
    public static string Quote(string value) => $"'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A value in a connection string (manual, section 34.1.1).</summary>
    public static string ConnectionValue(string value) => $"'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    private static string IdentName(string name) => $"\"{name}\"";
}
