using System.Collections.Immutable;
using Ashlar.Errors;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Postgres.Tests.Pure;

/// <summary>What PostgreSQL itself says of settings before any server is touched.</summary>
public sealed class SettingsProbeTests
{
    private static async Task<AshlarError?> JudgeAsync(string name, string value, params (string Name, string Value)[] more)
    {
        var settings = ImmutableSortedDictionary<string, string>.Empty.Add(name, value).AddRange(more.Select(m => KeyValuePair.Create(m.Name, m.Value)));
        var stack = new StackDefinition { Name = "shop", Directory = "/nonexistent", Database = new DatabaseDefinition { Settings = settings } };
        return (await PostgresTier.MistakesAsync(stack, CancellationToken.None)).Where(m => m.Name == name).Select(m => m.Error).FirstOrDefault();
    }

    [Theory]
    [InlineData("wrok_mem", "64MB", "ASH7018", "work_mem")]
    [InlineData("work_mem", "a lot", "ASH7019", "a lot")]
    [InlineData("work_mem", "64 MiB", "ASH7019", "Valid units")]
    [InlineData("synchronous_commit", "perhaps", "ASH7019", "remote_apply")]
    [InlineData("autovacuum_max_workers", "-1", "ASH7019", "262143")]
    [InlineData("autovacuum", "perhaps", "ASH7019", "Boolean")]
    [InlineData("block_size", "4096", "ASH7019", "cannot be changed")]
    [InlineData("shared_buffers", "4TB", "ASH7019", "machine")]
    [InlineData("shared_preload_libraries", "nonesuch", "ASH7019", "nonesuch")]
    [InlineData("port", "5432", "ASH7009", "other tiers")]
    public async Task What_it_does_not_take_is_said_in_its_words(string name, string value, string code, string told)
    {
        var error = await JudgeAsync(name, value);
        Assert.Equal(code, error?.Code);
        Assert.Contains(told, $"{error!.Message} {error.NextStep}", StringComparison.Ordinal);
        Assert.Equal(error, await JudgeAsync(name, value, ("fsync", "off"), ("no_such_thing", "1"), ("max_wal_size", "2GB")));
    }

    [Theory]
    [InlineData("work_mem", "64MB")]
    [InlineData("Work_Mem", "64MB")]
    [InlineData("pg_stat_statements.max", "1000")]
    [InlineData("shared_preload_libraries", "pg_stat_statements")]
    [InlineData("shared_buffers", "128MB")]
    [InlineData("log_min_duration_statement", "500ms")]
    [InlineData("search_path", "\"$user\", public, it''s")]
    public async Task What_it_takes_is_taken(string name, string value) => Assert.Null(await JudgeAsync(name, value));

    [Fact]
    public async Task A_mistake_is_shown_where_it_stands()
    {
        using var folder = new TempFolder();
        var file = folder.Write("ashlar.yaml", """
            services: {web: {run: sleep 1000} }
            database:
              settings:
                work_mem: 64MB
                wrok_mem: 64MB
            """);
        var result = StackLoader.Load(folder.Path);
        var (name, error) = Assert.Single(await PostgresTier.MistakesAsync(result.Require(), CancellationToken.None));
        var shown = result.At($"database.settings.{name}", error, folder.Path);
        Assert.Equal((Path.Combine(folder.Path, "ashlar.yaml"), 5, 5, "ASH7018"), (shown.File, shown.Line, shown.Column, shown.Code));
        Assert.EndsWith("error ASH7018: PostgreSQL has no setting wrok_mem; Did you mean work_mem?", shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_words_are_read_whatever_they_are()
    {
        const int seed = 7018;
        var random = new Random(seed);
        const string said = """
            2026-11-22 14:45:05.584 GMT [11253] LOG:  skipping missing configuration file "/x/postgresql.auto.conf"
            2026-11-22 14:45:05.584 GMT [11253] LOG:  unrecognized configuration parameter "wrok_mem" in file "/x/postgresql.conf" line 2
            2026-11-22 14:45:05.584 GMT [11253] LOG:  invalid value for parameter "a": "maybe"
            2026-11-22 14:45:05.584 GMT [11253] HINT:  Available values: on, off.
            2026-11-22 14:45:05.584 GMT [11253] FATAL:  configuration file "/x/postgresql.conf" contains errors
            """;
        Assert.Equal([("wrok_mem", "unrecognized configuration parameter \"wrok_mem\"", true), ("a", "invalid value for parameter \"a\": \"maybe\". Available values: on, off", false)],
            SettingsProbe.Parse(said));
        for (var i = 0; i < 2000; i++)
        {
            var text = said.ToCharArray();
            for (var n = random.Next(1, 20); n > 0; n--)
            {
                text[random.Next(text.Length)] = (char)random.Next(1, 300);
            }

            Assert.True(SettingsProbe.Parse(new string(text)).Count() <= 5, $"seed {seed}, {i}");
        }
    }
}
