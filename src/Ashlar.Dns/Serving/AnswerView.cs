using Ashlar.Dns.Answers;
using Ashlar.Dns.Resolving;

namespace Ashlar.Dns.Serving;

/// <summary>All that is answered from at one moment. Never changes: another takes its place.</summary>
/// <param name="Zones">Zones for everybody.</param>
/// <param name="Inside">Zones for the stack's own machines.</param>
/// <param name="Trusted">Who these are.</param>
/// <param name="Forwarder">Asks others for them; null: nobody is asked.</param>
internal sealed record AnswerView(ZoneSet Zones, ZoneSet Inside, TrustedClients Trusted, Forwarder? Forwarder)
{
    /// <summary>Answers of a kind that a network of clients gets over UDP in a second; 0: any number.</summary>
    public int Rate { get; init; }

    /// <summary>Nothing.</summary>
    public static AnswerView Empty { get; } = new(ZoneSet.Empty, ZoneSet.Empty, TrustedClients.Loopback, null);
}
