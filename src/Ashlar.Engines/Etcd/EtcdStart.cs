using System.Net;
using System.Text.RegularExpressions;
using Ashlar.Catalog;
using Ashlar.Engines.Preparing;
using Ashlar.Processes;

namespace Ashlar.Engines.Etcd;

/// <summary>Prepares and becomes etcd; its first start may begin with a backup.</summary>
internal static partial class EtcdStart
{
    /// <summary>Name of the server.</summary>
    public const string Program = "etcd";

    /// <summary>Debian's package of the server.</summary>
    public const string Package = "etcd-server";

    /// <summary>What follows is etcd's own.</summary>
    public const string Rest = "--";

    /// <summary>Option with the backup that a first start begins with.</summary>
    public const string RestoreOption = "--restore";

    /// <summary>Folder of etcd's data within the instance's: a restore makes it whole or not at all.</summary>
    public const string Data = "member";

    /// <summary>The oldest version whose gateway is complete under <c>/v3/</c>.</summary>
    public static Version Oldest { get; } = new(3, 4);

    /// <summary>The backup in our arguments.</summary>
    public static string? ReadRestore(string[] arguments) =>
        Array.IndexOf(arguments, RestoreOption) is >= 0 and var at && at + 1 < arguments.Length && at < Array.IndexOf(arguments, Rest) ? arguments[at + 1] : null;

    /// <summary>etcd's own arguments in ours.</summary>
    public static string[] ReadArguments(string[] arguments) => arguments[(Array.IndexOf(arguments, Rest) + 1)..];

    /// <summary>Does it; returns only by throwing.</summary>
    /// <exception cref="Errors.AshlarException">ASH7101, ASH7102, ASH7105, ASH7106, ASH7116, ASH7117, ASH7131, ASH7132, ASH7134, ASH7137.</exception>
    public static async Task BecomeAsync(EngineOrder order, string? restore, string[] arguments)
    {
        var program = Preparation.Program(order, [Program], Package);
        var version = ReadVersion(await Preparation.SayVersionAsync(order, program));
        if (version is null || version < Oldest)
        {
            throw EngineErrors.WrongVersion(
                order.Tier, program, version is null ? "of no version that it tells" : $"version {version}", Oldest, "the first whose JSON gateway is complete");
        }

        DataFolder.Check(order);
        await FolderLock.TakeAsync(order);
        var data = Path.Combine(order.Folder, Data);
        var word = Path.Combine(order.Folder, HeldData.StartEmpty);
        if (Directory.Exists(data))
        {
            File.Delete(word);
        }
        else if (restore is not null)
        {
            await EtcdBackup.RestoreAsync(order, restore, data, arguments);
        }
        else if (order.HeldSince is { } since && !File.Exists(word))
        {
            throw EtcdErrors.DataMissing(order.Instance, order.Folder, since);
        }

        foreach (var (address, port) in Listening(arguments))
        {
            if (!PortAllocator.CanBind(address, port))
            {
                throw PortAllocator.CanBind(address, 0)
                    ? EngineErrors.PortTaken(order.Tier, order.Instance, port, PortOwner.Find(address, port)?.ToString() ?? "another program", address.ToString())
                    : EtcdErrors.AddressNotHere(order.Instance, address, port);
            }
        }

        Preparation.Become(order, program, arguments);
    }

    /// <summary>Reads <c>etcd Version: 3.4.23</c>; null: it is something else.</summary>
    internal static Version? ReadVersion(string said) =>
        VersionPattern().Match(said) is { Success: true } match && Version.TryParse(match.Groups["version"].Value, out var version) ? version : null;

    private static IEnumerable<(IPAddress Address, int Port)> Listening(string[] arguments) =>
        from pair in arguments.Zip(arguments.Skip(1))
        where pair.First.StartsWith("--listen-", StringComparison.Ordinal)
        let uri = new Uri(pair.Second)
        select (IPAddress.Parse(uri.Host.Trim('[', ']')), uri.Port);

    [GeneratedRegex(@"^etcd Version: (?<version>\d{1,6}\.\d{1,6}\.\d{1,6})\b", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionPattern();
}
