using Ashlar.Catalog.Store;

namespace Ashlar.Agent.Machines;

/// <summary>Where the machines' affairs lie in the store.</summary>
internal static class FleetKeys
{
    /// <summary>The stack's authority with its private key: a secret.</summary>
    public const string Authority = "fleet/authority";

    /// <summary>The authority of the edges, with its private key: a secret. Who holds a certificate of it can hop, and nothing else.</summary>
    public const string HopAuthority = "fleet/hop-authority";

    /// <summary>Which instance belongs where.</summary>
    public const string Placement = "fleet/placement";

    /// <summary>What people have ordered.</summary>
    public const string Orders = "desired";

    /// <summary>Candidates for leadership.</summary>
    public const string Candidates = Keys.Leader + "/";
}
