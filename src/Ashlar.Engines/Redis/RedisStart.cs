using System.Text.RegularExpressions;
using Ashlar.Engines.Preparing;

namespace Ashlar.Engines.Redis;

/// <summary>Prepares and becomes Redis, or Valkey, which is Redis under another name.</summary>
internal static partial class RedisStart
{
    /// <summary>Names of the server, the preferred first.</summary>
    public static readonly string[] Programs = ["redis-server", "valkey-server"];

    /// <summary>Debian's package.</summary>
    public const string Package = "redis-server";

    /// <summary>Does it; returns only by throwing.</summary>
    /// <exception cref="Errors.AshlarException">ASH7101 to ASH7106, ASH7116, ASH7117.</exception>
    public static async Task BecomeAsync(EngineOrder order)
    {
        Preparation.Memory(order, Preparation.MachineMemory());
        var program = Preparation.Program(order, Programs, Package);
        var version = await VersionAsync(order, program);
        DataFolder.Check(order);
        await FolderLock.TakeAsync(order);
        DataFolder.RequireHeld(order, HasLog(order.Folder));
        Preparation.Port(order);
        var settings = new RedisSettings(
            order.IsQueue ? RedisUse.Queue : RedisUse.Cache, order.Port, order.Folder, order.Memory, order.AppPassword, order.AdminPassword);
        var file = DataFolder.Write(order, "redis.conf", settings.Write(version));
        Preparation.Become(order, program, file);
    }

    /// <summary>The version that the server says it is.</summary>
    /// <exception cref="Errors.AshlarException">ASH7102, ASH7116.</exception>
    public static async Task<Version> VersionAsync(EngineOrder order, string program)
    {
        var said = await Preparation.SayVersionAsync(order, program);
        var version = ReadVersion(said);
        return version >= RedisSettings.Oldest
            ? version
            : throw EngineErrors.WrongVersion(order.Tier, program, version is null ? "of no version that it tells" : $"version {version}", RedisSettings.Oldest);
    }

    // From version 7 on the log is a folder of its own; it is there from the first start on.
    private static bool HasLog(string folder) =>
        File.Exists(Path.Combine(folder, RedisSettings.Log)) || (Path.Combine(folder, RedisSettings.LogFolder) is var log && Directory.Exists(log) && Directory.EnumerateFileSystemEntries(log).Any());

    /// <summary>Reads <c>Redis server v=7.0.15 sha=…</c>; null: it is something else.</summary>
    internal static Version? ReadVersion(string said) =>
        VersionPattern().Match(said) is { Success: true } match && Version.TryParse(match.Groups["version"].Value, out var version) ? version : null;

    [GeneratedRegex(@"(?:^|\s)v=(?<version>\d{1,6}\.\d{1,6}\.\d{1,6})\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionPattern();
}
