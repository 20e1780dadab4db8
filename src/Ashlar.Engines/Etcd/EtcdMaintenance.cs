using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Ashlar.Catalog.Etcd;
using Ashlar.Errors;

namespace Ashlar.Engines.Etcd;

/// <summary>What one member says of itself, and what keeps its space in order (etcd's maintenance API).</summary>
public static class EtcdMaintenance
{
    // Below this part of the quota, in percent, the alarm ends.
    private const int RoomAgain = 80;

    // A member stands still while it writes its data anew; with the whole quota in use that is some seconds.
    private static readonly TimeSpan _defragPatience = TimeSpan.FromMinutes(2);

    /// <summary>Asks one member alone; it answers with a majority or without.</summary>
    /// <exception cref="AshlarException">ASH4070 to ASH4075.</exception>
    public static async Task<EtcdMemberStatus> StatusAsync(EtcdOptions options, Uri endpoint, CancellationToken cancellation = default)
    {
        var limit = TimeSpan.FromSeconds(2);
        using var gateway = new EtcdGateway(options with { Endpoints = [endpoint], AttemptLimit = limit, TotalLimit = limit });
        var answer = await AskAsync(gateway, "maintenance/status", new MaintenanceRequest(), MaintenanceMessages.Default.StatusOfMember, cancellation);
        var header = answer.Header!;
        return new EtcdMemberStatus(
            header.MemberId, answer.Version ?? "", answer.DbSize, answer.DbSizeInUse, header.Revision, answer.Leader == header.MemberId, answer.Leader != 0, answer.IsLearner,
            [.. answer.Errors ?? []]);
    }

    /// <summary>
    /// Makes room as etcd's documentation says ("Space quota"): what is past is forgotten, each member in turn gives back what it does not use,
    /// and where that was enough the alarm ends. A member answers nothing while it does that.
    /// </summary>
    /// <param name="options">The cluster.</param>
    /// <param name="members">Its members, the leader last.</param>
    /// <param name="quota">Bytes that each may have.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>True: there is room, and no alarm for want of it.</returns>
    /// <exception cref="AshlarException">ASH4070 to ASH4080.</exception>
    public static async Task<bool> MakeRoomAsync(EtcdOptions options, ImmutableArray<Uri> members, long quota, CancellationToken cancellation = default)
    {
        using var gateway = new EtcdGateway(options);
        await using (var store = new EtcdStore(options))
        {
            await store.CompactAsync(await gateway.RevisionAsync(cancellation), cancellation);
        }

        foreach (var member in members)
        {
            using var alone = new EtcdGateway(options with { Endpoints = [member], AttemptLimit = _defragPatience, TotalLimit = _defragPatience });

            // Its answer is empty in etcd 3.4, as that of the alarm is: that there is one says that it is done.
            (await alone.OpenAsync("maintenance/defragment", new MaintenanceRequest(), MaintenanceMessages.Default.MaintenanceRequest, cancellation)).Dispose();
        }

        var statuses = await Task.WhenAll(members.Select(member => StatusAsync(options, member, cancellation)));
        if (statuses.Any(status => status.Size * 100 >= quota * RoomAgain))
        {
            return false;
        }

        foreach (var status in statuses.Where(status => status.IsFull))
        {
            var disarm = new MaintenanceRequest { Action = "DEACTIVATE", MemberId = status.Id, Alarm = "NOSPACE" };
            (await gateway.OpenAsync("maintenance/alarm", disarm, MaintenanceMessages.Default.MaintenanceRequest, cancellation)).Dispose();
        }

        return true;
    }

    private static async Task<T> AskAsync<T>(
        EtcdGateway gateway, string path, MaintenanceRequest request, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class, IEtcdAnswer
    {
        try
        {
            return await gateway.AskAsync(path, request, MaintenanceMessages.Default.MaintenanceRequest, type, repeatable: true, cancellation);
        }
        catch (EtcdRefusalException e)
        {
            throw Catalog.CatalogErrors.EtcdRefuses(e.Message, e);
        }
    }
}

/// <summary>A member as it says itself.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Version">etcd's version.</param>
/// <param name="Size">Bytes of its data.</param>
/// <param name="InUse">Bytes of them that are in use.</param>
/// <param name="Revision">Revision that it has.</param>
/// <param name="IsLeader">True: it is the leader.</param>
/// <param name="HasLeader">True: it knows one.</param>
/// <param name="IsLearner">True: it has no vote yet.</param>
/// <param name="Troubles">Its alarms and what else it lacks, in etcd's words.</param>
public sealed record EtcdMemberStatus(
    ulong Id, string Version, long Size, long InUse, long Revision, bool IsLeader, bool HasLeader, bool IsLearner, ImmutableArray<string> Troubles)
{
    /// <summary>True: etcd refuses changes, because a member has used up its quota.</summary>
    public bool IsFull => Troubles.Any(trouble => trouble.Contains("NOSPACE", StringComparison.Ordinal));

    /// <summary>True: members have found that their data differ.</summary>
    public bool IsCorrupt => Troubles.Any(trouble => trouble.Contains("CORRUPT", StringComparison.Ordinal));
}

internal sealed record MaintenanceRequest
{
    public string? Action { get; init; }

    [JsonPropertyName("memberID")]
    public ulong MemberId { get; init; }

    public string? Alarm { get; init; }
}

internal sealed record StatusOfMember(
    EtcdHeader? Header, string? Version, [property: JsonPropertyName("dbSize")] long DbSize, [property: JsonPropertyName("dbSizeInUse")] long DbSizeInUse,
    ulong Leader, [property: JsonPropertyName("isLearner")] bool IsLearner, string[]? Errors) : IEtcdAnswer;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(MaintenanceRequest))]
[JsonSerializable(typeof(StatusOfMember))]
internal sealed partial class MaintenanceMessages : JsonSerializerContext;
