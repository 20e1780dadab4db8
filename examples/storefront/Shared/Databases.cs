using Npgsql;

namespace Storefront;

/// <summary>The two ways to the data: writes go to the primary, reads that may be a moment old to a replica.</summary>
public sealed class Databases : IAsyncDisposable
{
    public NpgsqlDataSource Primary { get; } = Open("DATABASE_URL");

    public NpgsqlDataSource Replica { get; } = Open("DATABASE_REPLICA_URL");

    public async ValueTask DisposeAsync()
    {
        await Primary.DisposeAsync();
        await Replica.DisposeAsync();
    }

    private static NpgsqlDataSource Open(string variable)
    {
        var url = new Uri(Environment.GetEnvironmentVariable(variable) ?? throw new InvalidOperationException($"{variable} is not set."));
        var user = url.UserInfo.Split(':', 2);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host,
            Port = url.Port,
            Database = url.AbsolutePath.Trim('/'),
            Username = Uri.UnescapeDataString(user[0]),
            Password = Uri.UnescapeDataString(user[1]),
            MaxPoolSize = 20,
            Timeout = 5,
            ApplicationName = Environment.GetEnvironmentVariable("ASHLAR_INSTANCE") ?? "storefront",
        };
        return NpgsqlDataSource.Create(settings);
    }
}
