using System.Globalization;
using System.Text;
using Ashlar.Catalog;

namespace Ashlar.Postgres;

/// <summary>Names of the cluster that more than one part must agree on.</summary>
internal static class ClusterNames
{
    /// <summary>Number that <c>scale</c> changes.</summary>
    public const string Replicas = "database.replicas";

    /// <summary>More servers than this on one primary are a plan gone wrong.</summary>
    public const int MostReplicas = 8;

    /// <summary>The superuser, which owns the cluster.</summary>
    public const string Owner = "ashlar";

    /// <summary>Streams and watches; may read statistics and nothing of the app.</summary>
    public const string Replicator = "replicator";

    /// <summary>The user of the app, which owns its database.</summary>
    public const string App = "app";

    /// <summary>Database that exists in every cluster.</summary>
    public const string Maintenance = "postgres";

    /// <summary>PostgreSQL cuts longer names off (NAMEDATALEN).</summary>
    private const int LongestName = 63;

    /// <summary>Key of a user's password among the kept secrets.</summary>
    public static string Secret(string user) => $"{PostgresTier.Tier}.{user}";

    /// <summary><c>database.2</c>.</summary>
    public static string Instance(int index) => string.Create(CultureInfo.InvariantCulture, $"{PostgresTier.Tier}.{index}");

    /// <summary>The slot through which an instance streams: <c>ashlar_2</c>.</summary>
    public static string Slot(int index) => string.Create(CultureInfo.InvariantCulture, $"{SlotPrefix}{index}");

    /// <summary>Index of the instance that a slot belongs to; null: it is not ours.</summary>
    public static int? IndexOfSlot(string slot) =>
        slot.StartsWith(SlotPrefix, StringComparison.Ordinal) && int.TryParse(slot.AsSpan(SlotPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && Slot(index) == slot ? index : null;

    /// <summary>Folder of an instance, with its data in <c>pg</c>.</summary>
    public static string Folder(string state, string instance) => Path.Combine(state, "data", instance);

    /// <summary>Replicas wanted now.</summary>
    public static int ReplicasWanted(PlanContext context) => context.Scale.TryGetValue(Replicas, out var ordered) ? ordered : context.Stack.Database?.Replicas ?? 0;

    /// <summary>The app's database is named after the stack: letters, digits and underscores, so that it never needs quotes.</summary>
    public static string Database(string stack)
    {
        var name = new StringBuilder();
        foreach (var letter in stack.ToLowerInvariant())
        {
            name.Append(letter is (>= 'a' and <= 'z') or (>= '0' and <= '9') ? letter : '_');
        }

        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            name.Insert(0, '_');
        }

        name.Length = Math.Min(name.Length, LongestName);
        var made = name.ToString();
        return made is "postgres" or "template0" or "template1" or "replication" or "all" or "sameuser" or "samerole" or "user" or "default"
            ? $"{made}_app" : made;
    }

    private const string SlotPrefix = "ashlar_";
}
