using System.Globalization;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines;

/// <summary>What is to be said and done about the space and the health of etcd. Pure.</summary>
internal static class StateCare
{
    private const int NearlyFull = 80;

    /// <summary>What people should know of a member, with what to do.</summary>
    public static IEnumerable<AshlarError> Warnings(string machine, EtcdMemberStatus status, long quota)
    {
        if (status.IsCorrupt)
        {
            yield return EtcdErrors.Corrupt(machine).Error;
        }

        if (status.IsFull)
        {
            yield return EtcdErrors.SpaceUsedUp(machine, status.Size, status.InUse, quota).Error;
        }
        else if (Part(status.InUse, quota) >= NearlyFull)
        {
            yield return EtcdErrors.SpaceRunsOut(machine, status.InUse, quota).Error;
        }
    }

    /// <summary>True: a machine may fail, and orders go on.</summary>
    public static bool HasSpare(StateRecord record) => record.Members.Count(member => member.Value.Votes) > 2;

    /// <summary>What happens to the state when a machine fails.</summary>
    public static string Spare(StateRecord? record, int machines) => record?.Members.Where(member => member.Value.Votes).Select(member => member.Key).ToArray() switch
    {
        null or [] => "not known yet",
        [var only] when machines < 3 => $"one member, on {only}, and no spare: without it no orders are taken. With a third machine there are three members",
        [var only] => $"one member, on {only}, and no spare yet",
        { Length: 2 } two => $"two members, on {two[0]} and {two[1]}: without either of them no orders are taken",
        { Length: var count } all => string.Create(CultureInfo.InvariantCulture, $"{count} members, on {string.Join(", ", all)}: one of them may fail"),
    };

    /// <summary>True: members are to give back what they do not use. One that is full of what is in use is asked as well: what is past counts as that.</summary>
    public static bool NeedsRoom(IReadOnlyCollection<EtcdMemberStatus> members, long quota) =>
        members.Any(member => member.IsFull || (Part(member.Size, quota) >= NearlyFull && member.InUse * 2 < member.Size));

    private static long Part(long bytes, long quota) => bytes * 100 / quota;
}
