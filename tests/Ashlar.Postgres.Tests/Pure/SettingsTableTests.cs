using System.Collections.Immutable;
using Ashlar.Errors;

namespace Ashlar.Postgres.Tests.Pure;

/// <summary>What servers are set to, by version, memory and disk.</summary>
public sealed class SettingsTableTests
{
    private const long Gibi = 1L << 30;
    private static readonly ImmutableSortedDictionary<string, string> Nothing = ImmutableSortedDictionary<string, string>.Empty;

    [Theory]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(18)]
    public void Every_version_streams_within_a_bound_and_lets_in_by_scram(int version)
    {
        var settings = SettingsTable.For(new Machine(version, Gibi, 100 * Gibi), Nothing);
        Assert.Equal(("replica", "on", "on", "scram-sha-256"), (settings["wal_level"], settings["hot_standby"], settings["wal_log_hints"], settings["password_encryption"]));
        Assert.Equal($"{10 * Gibi / 1024}kB", settings["max_slot_wal_keep_size"]);
        Assert.Equal(version >= 14, settings.ContainsKey("client_connection_check_interval"));
        Assert.Equal(version == 13, settings.ContainsKey("checkpoint_completion_target"));
    }

    [Fact]
    public void Memory_is_shared_out()
    {
        var settings = SettingsTable.For(new Machine(15, 4 * Gibi, 100 * Gibi), Nothing);
        Assert.Equal(("1048576kB", "3145728kB", "10485kB", "262144kB"),
            (settings["shared_buffers"], settings["effective_cache_size"], settings["work_mem"], settings["maintenance_work_mem"]));
        Assert.Equal((512L << 20, 2 * Gibi, 8 * Gibi, 256L << 20),
            (Machine.Share(Gibi), Machine.Share(16 * Gibi), Machine.Share(1024 * Gibi), Machine.Share(256 << 20)));
    }

    [Fact]
    public void A_small_disk_is_not_filled_with_log()
    {
        var settings = SettingsTable.For(new Machine(15, Gibi, Gibi), Nothing);
        Assert.Equal(("104857kB", "65536kB", "20971kB"), (settings["max_slot_wal_keep_size"], settings["max_wal_size"], settings["wal_keep_size"]));
    }

    [Fact]
    public void What_the_stack_says_stands_above() =>
        Assert.Equal("64MB", SettingsTable.For(new Machine(15, Gibi, Gibi), Nothing.Add("Work_Mem", "64MB"))["work_mem"]);

    [Theory]
    [InlineData("port", "5432")]
    [InlineData("Port", "5432")]
    [InlineData("listen_addresses", "*")]
    [InlineData("data_directory", "/tmp")]
    [InlineData("hba_file", "/tmp/hba")]
    [InlineData("include", "/etc/passwd")]
    [InlineData("recovery_target_time", "yesterday")]
    [InlineData("wal_level", "minimal")]
    [InlineData("fsync", "off")]
    [InlineData("fsync", "FALSE")]
    [InlineData("fsync", "0")]
    [InlineData("fsync", "n")]
    [InlineData("full_page_writes", "of")]
    [InlineData("password_encryption", "md5")]
    [InlineData("max_slot_wal_keep_size", "-1")]
    [InlineData("max_wal_senders", "2")]
    [InlineData("max_connections", "0")]
    [InlineData("max_connections", "many")]
    [InlineData("logging_collector", "on")]
    [InlineData("work_mem\nport", "1")]
    [InlineData("work_mem", "1\nport = 1")]
    [InlineData("", "1")]
    [InlineData("a b", "1")]
    public void What_would_break_the_rest_is_refused(string name, string value) =>
        Assert.Equal("ASH7009", Assert.Throws<AshlarException>(() => SettingsTable.Check(Nothing.Add(name, value))).Error.Code);

    [Theory]
    [InlineData("work_mem", "64MB")]
    [InlineData("wal_level", "logical")]
    [InlineData("fsync", "on")]
    [InlineData("synchronous_commit", "off")]
    [InlineData("max_connections", "500")]
    [InlineData("pg_stat_statements.track", "all")]
    [InlineData("shared_preload_libraries", "pg_stat_statements")]
    public void What_is_the_teams_to_say_is_taken(string name, string value) => SettingsTable.Check(Nothing.Add(name, value));

    [Theory]
    [InlineData("it's", "'it''s'")]
    [InlineData("a\\b", "'a\\\\b'")]
    [InlineData("", "''")]
    public void Values_are_quoted(string value, string quoted) => Assert.Equal(quoted, Configuration.Quote(value));
}
