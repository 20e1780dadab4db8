using System.Globalization;

namespace Ashlar.Agent.Tests.Simulation;

/// <summary>Makes up what happens to a fleet of a size.</summary>
internal static class RandomHistory
{
    private static readonly string[] s_services = ["web", "api", "worker", "data", "queue", "own"];

    /// <summary>A history that ends with everything healed.</summary>
    public static IEnumerable<Happening> Of(Random random, int machines, int length)
    {
        var names = Enumerable.Range(1, machines).Select(i => $"m{i}").ToArray();
        foreach (var name in names.Take(Math.Max(1, machines - 1)))
        {
            yield return new Happening("join", name, Text(random.Next(2, 17)));
        }

        yield return new Happening("wait", Text(random.Next(3, 20)));
        foreach (var service in s_services)
        {
            yield return Want(random, service, machines);
        }

        for (var i = 0; i < length; i++)
        {
            var name = names[random.Next(names.Length)];
            foreach (var happening in Next(random, name, names))
            {
                yield return happening;
            }

            yield return new Happening("wait", Text(random.Next(3) == 0 ? random.Next(40, 140) : random.Next(1, 15)));
        }

        yield return new Happening("rest");
    }

    private static IEnumerable<Happening> Next(Random random, string name, string[] names) => random.Next(23) switch
    {
        0 or 1 => [new Happening("cut", name)],
        2 or 3 => [new Happening("kill", name)],
        4 => [new Happening("freeze", name)],
        5 or 6 or 7 => [new Happening("heal", name)],
        8 => [.. Some(random, names).Select(n => new Happening(random.Next(2) == 0 ? "cut" : "kill", n))],
        9 or 10 => [.. names.Select(n => new Happening("heal", n))],
        11 => [new Happening("lag", name, Text(random.Next(9)))],
        12 => [new Happening("relist", name)],
        13 => [new Happening("restart", name)],
        14 => [new Happening(random.Next(2) == 0 ? "cordon" : "drain", name)],
        15 => [new Happening("uncordon", name)],
        16 => [new Happening("remove", name), new Happening("wait", "15")],
        17 => [new Happening("join", name, Text(random.Next(2, 17)))],
        18 or 19 => [Want(random, s_services[random.Next(s_services.Length)], names.Length)],
        20 => [new Happening("release")],
        21 => [new Happening("rebalance")],
        _ => [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => new Happening("crash", $"{s_services[random.Next(3)]}.{random.Next(1, names.Length + 1)}"))],
    };

    private static string[] Some(Random random, string[] names)
    {
        var copy = names.ToArray();
        random.Shuffle(copy);
        return copy[..random.Next(1, copy.Length + 1)];
    }

    // What a service asks for never changes, so that nothing has to move for it.
    private static Happening Want(Random random, string service, int machines) => service switch
    {
        "data" or "queue" => new Happening("want", service, random.Next(6) == 0 ? "0" : "1", "2", "data"),
        "own" => new Happening("want", service, Text(random.Next(3)), "2", "dedicated"),
        "web" => new Happening("want", service, Text(random.Next(2 * machines)), "1"),
        "api" => new Happening("want", service, Text(random.Next(machines)), "2"),
        _ => new Happening("want", service, Text(random.Next(4)), "0"),
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
