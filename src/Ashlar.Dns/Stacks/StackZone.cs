using System.Collections.Immutable;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Stacks;

/// <summary>Where a record of a stack's zone comes from.</summary>
public enum RecordOrigin
{
    /// <summary>The zone's master file.</summary>
    File,

    /// <summary>The stack file.</summary>
    Stack,

    /// <summary>A person, by a verb.</summary>
    Added,

    /// <summary>The catalog: a host of the stack, with the addresses of its edges.</summary>
    Host,

    /// <summary>Nobody: every zone needs it.</summary>
    Made,
}

/// <summary>A record of a stack's zone.</summary>
/// <param name="Record">The record.</param>
/// <param name="Origin">Where it comes from.</param>
/// <param name="Place">File and line, or key of the stack file; empty: its origin says all.</param>
public sealed record StackRecord(Record Record, RecordOrigin Origin, string Place = "");

/// <summary>A zone of the stack as its parts say it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Records">Its records. Those of the catalog are all that there may be; which are given, health says.</param>
/// <param name="Mistakes">Why it cannot be served; none: it can.</param>
public sealed record StackZone(DnsName Name, ImmutableArray<StackRecord> Records, ImmutableArray<ZoneMistake> Mistakes)
{
    /// <summary>True: its SOA is one that somebody wrote, whose serial is his.</summary>
    public bool HasOwnSoa => Records.Any(record => record.Record.Type == RecordType.SOA && record.Origin != RecordOrigin.Made);
}
