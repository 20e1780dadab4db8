using System.Globalization;

namespace Ashlar.Catalog.Store;

/// <summary>The layout of the store: every key that Ashlar uses, in this one file. Values are JSON, PEM or a number.</summary>
public static class Keys
{
    /// <summary>Config vars: an object of names and values. Secret.</summary>
    public const string ConfigVars = "spec/config";

    /// <summary>Number of the release that runs.</summary>
    public const string CurrentRelease = "spec/release";

    /// <summary>Number of the newest release ever begun; a number is never given twice.</summary>
    public const string LastRelease = "spec/last-release";

    /// <summary>Prefix of the releases.</summary>
    public const string Releases = "release/";

    /// <summary>What people have ordered.</summary>
    public const string Orders = "desired";

    /// <summary>Prefix of the machines.</summary>
    public const string Nodes = "nodes/";

    /// <summary>Prefix of what each machine runs; each key is bound to its agent's lease.</summary>
    public const string ActualStates = "actual/";

    /// <summary>Where this state was moved from, and how far that has come; none: it was always here.</summary>
    public const string Move = "move";

    /// <summary>The election of the agent that does what must happen once.</summary>
    public const string Leader = "leader";

    /// <summary>Candidates for leadership.</summary>
    public const string Candidates = Leader + "/";

    /// <summary>The stack's authority with its private key: a secret.</summary>
    public const string Authority = "fleet/authority";

    /// <summary>The authority of the edges, with its private key: a secret. Who holds a certificate of it can hop, and nothing else.</summary>
    public const string HopAuthority = "fleet/hop-authority";

    /// <summary>Which instance belongs where.</summary>
    public const string Placement = "fleet/placement";

    /// <summary>Prefix of the leases of what may run once in the stack; each holds the name of the machine that has it.</summary>
    public const string Leases = "lease/";

    /// <summary>Which machines hold the shared state itself, and where they answer.</summary>
    public const string State = "fleet/state";

    /// <summary>Prefix of the tokens that are out, by the hash of their secret.</summary>
    public const string JoinTokens = "fleet/tokens/";

    /// <summary>Ports that something has for ever, by what has them.</summary>
    public const string Ports = "ports";

    /// <summary>Passwords made up once. Secret.</summary>
    public const string Secrets = "secrets";

    /// <summary>Since when instances have held data.</summary>
    public const string DataSince = "data";

    /// <summary>Prefix of what was started on a machine; in that machine's own store, where the stack stands on many.</summary>
    public const string Observed = "observed/";

    /// <summary>The generation last given out, beside <see cref="Observed"/>.</summary>
    public const string Generation = "generation";

    /// <summary>Prefix of the edge's certificates and of what belongs to them. Secret.</summary>
    public const string Certificates = "certificates/";

    /// <summary>The authority of the stack's sites with its private key: a secret.</summary>
    public const string LocalAuthority = Certificates + "authority";

    /// <summary>A site's certificate with its key: a secret.</summary>
    public static string CertificateOf(string host) => $"{Certificates}of/{host}";

    /// <summary>What went wrong with a site's certificate.</summary>
    public static string CertificateTrouble(string host) => $"{Certificates}trouble/{host}";

    /// <summary>What an ACME authority is to be answered.</summary>
    public static string AcmeChallenge(string token) => $"{Certificates}challenge/{token}";

    /// <summary>The account with an ACME authority: a secret.</summary>
    public static string AcmeAccount(string directoryHash) => $"{Certificates}account/{directoryHash}";

    /// <summary>A release; numbers have eight digits, so that the order of keys is theirs.</summary>
    public static string Release(int number) => Releases + number.ToString("D8", CultureInfo.InvariantCulture);

    /// <summary>A lease of what may run once in the stack.</summary>
    public static string Lease(string name) => Leases + name;

    /// <summary>A machine.</summary>
    public static string Node(string id) => Nodes + id;

    /// <summary>What a machine runs.</summary>
    public static string Actual(string node) => ActualStates + node;
}
