namespace Ashlar.Stack;

/// <summary>The keys of the stack's DNS.</summary>
internal static class DnsKeys
{
    /// <summary>What is written for a resolver that asks nobody.</summary>
    public const string Off = "off";

    private const string AddressPattern = "^[0-9A-Fa-f.:]+$";

    private static readonly MapShape Zone = new(
        [
            new("file", new TextShape(), "Master file of the zone (RFC 1035), relative to the stack's folder."),
            new("records", new TextsShape("."), "Records as lines of a master file, such as mail A 192.0.2.7; ALIAS gives the apex the addresses of another name."),
            new("ttl", new DurationShape(TimeSpan.Zero, TimeSpan.FromDays(30)), "Time that records without one of their own may be kept.", "5m"),
        ]);

    /// <summary>All of them.</summary>
    public static readonly MapShape Dns = new(
        [
            new("listen", new ListenShape(), "Where it listens, over UDP and TCP: a port (on all addresses) or address:port.", "127.0.0.1:5300"),
            new("zones", new NamedShape(ZoneName.Pattern, Zone), "The zones that it answers for, by name. The stack's domains and hosts that lie in them have the addresses of its edges."),
            new("addresses", new NamedShape(Names.LabelPattern, new TextsShape(AddressPattern, OrOne: true), new TextsShape(AddressPattern, OrOne: true)),
                "Addresses at which the edges are reached from outside, by machine or for all. Without them, those that the edges listen on or the machines have."),
            new("resolvers", new TextsShape(@"^(off|[0-9.]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?|[0-9A-Fa-f:.]+)$", OrOne: true),
                "Resolvers that the stack's own machines reach through it, or off. Without this key, those of /etc/resolv.conf."),
            new("rate", new IntegerShape(0, 1_000_000),
                "Answers a second over UDP to one network of clients (/24, /56), of the same answer; 20 times as many of all. 0: no limit.", $"{DnsDefinition.DefaultRate}"),
        ]);
}
