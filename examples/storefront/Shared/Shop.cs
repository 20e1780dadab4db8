using System.Diagnostics;
using Npgsql;

namespace Storefront;

/// <summary>Something for sale.</summary>
public sealed record Product(int Id, string Name, string Story, int Cents, int Stock);

/// <summary>An order as the back office sees it.</summary>
public sealed record Order(int Id, string Status, int Cents, DateTime Placed);

/// <summary>A page's data, with the name of the server that gave it.</summary>
public sealed record Answer<T>(T Value, string Server);

/// <summary>What the shop asks its database.</summary>
public sealed class Shop(Databases databases)
{
    // Which server answers is for the footer; the port is what differs between them.
    private const string Server = "case when pg_is_in_recovery() then 'replica' else 'primary' end || ' on port ' || current_setting('port')";

    public Task<Answer<List<Product>>> ProductsAsync(CancellationToken cancellation = default) => ProductsAsync(databases.Replica, cancellation);

    /// <summary>The same from the primary: what is then kept for long must not be a moment old.</summary>
    public Task<Answer<List<Product>>> PricesAsync(CancellationToken cancellation = default) => ProductsAsync(databases.Primary, cancellation);

    private static async Task<Answer<List<Product>>> ProductsAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(Traced($"select id, name, story, cents, stock, {Server} from products order by id"));
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var (products, server) = (new List<Product>(), "");
        while (await rows.ReadAsync(cancellation))
        {
            products.Add(Read(rows));
            server = rows.GetString(5);
        }

        return new(products, server);
    }

    public async Task<Answer<Product?>> ProductAsync(int id, CancellationToken cancellation = default)
    {
        await using var command = databases.Replica.CreateCommand(Traced($"select id, name, story, cents, stock, {Server} from products where id = $1"));
        command.Parameters.Add(new() { Value = id });
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        return await rows.ReadAsync(cancellation) ? new(Read(rows), rows.GetString(5)) : new(null, "");
    }

    /// <summary>Takes the goods from stock, writes the order and enqueues its confirmation, or none of it: null when something is sold out.</summary>
    public async Task<(int Id, string Server)?> PlaceAsync(IReadOnlyDictionary<int, int> cart, CancellationToken cancellation = default)
    {
        await using var connection = await databases.Primary.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var cents = 0;
        // Always in the order of their ids, so that two buyers never wait for each other in a circle.
        foreach (var (product, count) in cart.OrderBy(line => line.Key))
        {
            await using var take = new NpgsqlCommand(Traced("update products set stock = stock - $2 where id = $1 and stock >= $2 returning cents"), connection, transaction);
            take.Parameters.Add(new() { Value = product });
            take.Parameters.Add(new() { Value = count });
            if (await take.ExecuteScalarAsync(cancellation) is not int price)
            {
                return null;
            }

            cents += price * count;
        }

        await using var place = new NpgsqlCommand(Traced($"insert into orders (cents) values ($1) returning id, {Server}"), connection, transaction);
        place.Parameters.Add(new() { Value = cents });
        await using var placed = await place.ExecuteReaderAsync(cancellation);
        await placed.ReadAsync(cancellation);
        var result = (placed.GetInt32(0), placed.GetString(1));
        await placed.CloseAsync();
        await using var confirm = new NpgsqlCommand("select ashlar.enqueue('confirmations', jsonb_build_object('order', $1), trace => $2)", connection, transaction);
        confirm.Parameters.Add(new() { Value = result.Item1 });
        confirm.Parameters.Add(new() { Value = (object?)Activity.Current?.Id ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await confirm.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return result;
    }

    /// <summary>Marks an order as packed; once, however often it is asked. False: there is no such order.</summary>
    public async Task<bool> PackAsync(int id, CancellationToken cancellation = default)
    {
        await using var command = databases.Primary.CreateCommand(Traced("update orders set status = 'packed', packed = coalesce(packed, now()) where id = $1"));
        command.Parameters.Add(new() { Value = id });
        return await command.ExecuteNonQueryAsync(cancellation) == 1;
    }

    /// <summary>Notes that the buyer has been told; once, however often it is asked. False: there is no such order.</summary>
    public async Task<bool> ConfirmAsync(int id, CancellationToken cancellation = default)
    {
        await using var command = databases.Primary.CreateCommand(Traced("update orders set confirmed = coalesce(confirmed, now()) where id = $1"));
        command.Parameters.Add(new() { Value = id });
        return await command.ExecuteNonQueryAsync(cancellation) == 1;
    }

    /// <summary>Changes a price. False: there is no such product.</summary>
    public async Task<bool> PriceAsync(int id, int cents, CancellationToken cancellation = default)
    {
        await using var command = databases.Primary.CreateCommand(Traced("update products set cents = $2 where id = $1"));
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = cents });
        return await command.ExecuteNonQueryAsync(cancellation) == 1;
    }

    /// <summary>The orders of the last day, and their sum.</summary>
    public async Task<(long Orders, long Cents)> DayAsync(CancellationToken cancellation = default)
    {
        await using var command = databases.Replica.CreateCommand("select count(*), coalesce(sum(cents), 0)::bigint from orders where placed > now() - interval '1 day'");
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        await rows.ReadAsync(cancellation);
        return (rows.GetInt64(0), rows.GetInt64(1));
    }

    public async Task<Answer<List<Order>>> OrdersAsync(CancellationToken cancellation = default)
    {
        await using var command = databases.Replica.CreateCommand(Traced($"select {Server}; select id, status, cents, placed from orders order by id desc limit 50"));
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        await rows.ReadAsync(cancellation);
        var server = rows.GetString(0);
        await rows.NextResultAsync(cancellation);
        var orders = new List<Order>();
        while (await rows.ReadAsync(cancellation))
        {
            orders.Add(new Order(rows.GetInt32(0), rows.GetString(1), rows.GetInt32(2), rows.GetDateTime(3)));
        }

        return new(orders, server);
    }

    /// <summary>Fills the shelves again.</summary>
    public async Task RestockAsync(CancellationToken cancellation = default)
    {
        await using var command = databases.Primary.CreateCommand("update products set stock = 100000");
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>A statement that says which request it is for, so that <c>ashlar trace</c> sees it (the comment is sqlcommenter's).</summary>
    private static string Traced(string sql) => Activity.Current?.Id is { } parent ? $"/*traceparent='{parent}'*/ {sql}" : sql;

    private static Product Read(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetInt32(4));
}
