using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Postgres.Tests.Pure;

/// <summary>Which version runs.</summary>
public sealed class PostgresVersionsTests
{
    private static (int Version, string Programs) Choose(int? asked, int? data, params int[] installed) =>
        PostgresVersions.Choose(asked, data, "/data", installed.ToDictionary(v => v, v => $"/usr/lib/postgresql/{v}/bin"));

    [Fact]
    public void New_data_is_of_the_proven_version_else_of_the_newest() =>
        Assert.Equal((15, 17), (Choose(null, null, 13, 15, 17).Version, Choose(null, null, 13, 17).Version));

    [Fact]
    public void Data_that_is_there_decides() => Assert.Equal((13, "/usr/lib/postgresql/13/bin"), Choose(null, 13, 13, 15));

    [Theory]
    [InlineData("ASH7001", null, null, new int[0])]
    [InlineData("ASH7001", 16, null, new[] { 15 })]
    [InlineData("ASH7001", null, 14, new[] { 15 })]
    [InlineData("ASH7002", 12, null, new[] { 12 })]
    [InlineData("ASH7002", 19, null, new[] { 15 })]
    [InlineData("ASH7002", null, 9, new[] { 15 })]
    [InlineData("ASH7002", null, null, new[] { 12 })]
    [InlineData("ASH7003", 15, 13, new[] { 13, 15 })]
    public void What_cannot_be_is_said(string code, int? asked, int? data, int[] installed) =>
        Assert.Equal(code, Assert.Throws<AshlarException>(() => Choose(asked, data, installed)).Error.Code);

    [Fact]
    public void Only_folders_that_hold_a_server_count()
    {
        using var folder = new TempFolder();
        folder.Write("15/bin/postgres", "");
        folder.Write("16/bin/psql", "");
        folder.Write("common/bin/postgres", "");
        Assert.Equal([15], PostgresVersions.Installed([(folder.Path, "", "bin"), ("/nowhere", "", "bin")]).Keys);
    }

    [Fact]
    public void An_error_names_the_package_and_the_line() =>
        Assert.Contains("postgresql-15", Assert.Throws<AshlarException>(() => Choose(null, null)).Error.NextStep);
}
