using Npgsql;

namespace Storefront;

/// <summary>The two ways to the data: writes go to the primary, reads that may be a moment old to a replica.</summary>
public sealed class Databases : IAsyncDisposable
{
    public NpgsqlDataSource Primary { get; } = Open(TargetSessionAttributes.Primary, "DATABASE_URL");

    /// <summary>The replica; while it is being made, or is away, the primary answers for it.</summary>
    public NpgsqlDataSource Replica { get; } = Open(TargetSessionAttributes.PreferStandby, "DATABASE_REPLICA_URL", "DATABASE_URL");

    public async ValueTask DisposeAsync()
    {
        await Primary.DisposeAsync();
        await Replica.DisposeAsync();
    }

    private static NpgsqlDataSource Open(TargetSessionAttributes wanted, params string[] variables)
    {
        var urls = variables.Select(variable =>
            new Uri(Environment.GetEnvironmentVariable(variable) ?? throw new InvalidOperationException($"{variable} is not set."))).Distinct().ToArray();
        var user = urls[0].UserInfo.Split(':', 2);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = string.Join(',', urls.Select(url => $"{url.Host}:{url.Port}")),
            Database = urls[0].AbsolutePath.Trim('/'),
            Username = Uri.UnescapeDataString(user[0]),
            Password = Uri.UnescapeDataString(user[1]),
            MaxPoolSize = 20,
            Timeout = 5,
            HostRecheckSeconds = 2,
            ApplicationName = Environment.GetEnvironmentVariable("ASHLAR_INSTANCE") ?? "storefront",
        };
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).BuildMultiHost().WithTargetSession(wanted);
    }
}
