// The release command: brings the database to the shape that this release needs, before any of its instances starts.
using Storefront;

string[] migrations =
[
    """
    create table products (id int primary key, name text not null, story text not null, cents int not null, stock int not null);
    create table orders (id serial primary key, status text not null default 'placed', cents int not null,
        placed timestamptz not null default now(), packed timestamptz);
    """,
    """
    insert into products values
        (1, 'Chisel', 'Holds its edge through limestone and doubt.', 3400, 100000),
        (2, 'Mallet', 'Apple wood, turned by somebody who cared.', 5200, 100000),
        (3, 'Square', 'Right, and stays right.', 2800, 100000),
        (4, 'Plumb line', 'Knows where down is.', 1200, 100000),
        (5, 'Trowel', 'For the little mortar that ashlar needs.', 1900, 100000),
        (6, 'Apron', 'Keeps the dust where it belongs.', 4500, 100000);
    """,
    "alter table orders add confirmed timestamptz",
];

await using var databases = new Databases();
await using var connection = await databases.Primary.OpenConnectionAsync();
await using var batch = connection.CreateCommand();
batch.CommandText = "select pg_advisory_lock(4711); create table if not exists migrations (number int primary key, done timestamptz not null default now())";
await batch.ExecuteNonQueryAsync();
batch.CommandText = "select coalesce(max(number), 0) from migrations";
var last = (int)(await batch.ExecuteScalarAsync())!;
for (var number = last + 1; number <= migrations.Length; number++)
{
    batch.CommandText = $"begin; {migrations[number - 1]}; insert into migrations (number) values ({number}); commit";
    await batch.ExecuteNonQueryAsync();
    Console.WriteLine($"migration {number} done");
}

Console.WriteLine(last == migrations.Length ? "the database has its shape already" : $"the database is at migration {migrations.Length}");
