using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace Ashlar.Engines.Etcd;

/// <summary>One member of the stack's etcd, and the machine that it runs on. Data only.</summary>
public sealed record EtcdMember
{
    /// <summary>Largest size of the data of a stack's members, in bytes.</summary>
    public const long DefaultQuota = 2L << 30;

    /// <summary>Its name in the cluster, which no other member has: the machine's. Letters, digits, dots and hyphens.</summary>
    public required string Name { get; init; }

    /// <summary>Its number among the instances: <c>etcd.1</c>.</summary>
    public int Index { get; init; } = 1;

    /// <summary>IP address of this machine at which members and agents reach it.</summary>
    public required string Address { get; init; }

    /// <summary>Port for agents.</summary>
    public required int ClientPort { get; init; }

    /// <summary>Port for the other members.</summary>
    public required int PeerPort { get; init; }

    /// <summary>Port on loopback where it tells health and figures, without TLS.</summary>
    public required int MetricsPort { get; init; }

    /// <summary>Mutual TLS for agents and members alike; null: none, which is for loopback alone.</summary>
    public EtcdFiles? Tls { get; init; }

    /// <summary>All members that it begins with, itself among them. Only its first start reads it.</summary>
    public required ImmutableArray<EtcdPeer> Cluster { get; init; }

    /// <summary>True: the cluster is there and has been told of it (<see cref="EtcdMembership.AddAsync"/>); false: all begin together. Only its first start reads it.</summary>
    public bool Joins { get; init; }

    /// <summary>Tells clusters of one stack apart; a restored one gets another. Only its first start reads it.</summary>
    public required string Token { get; init; }

    /// <summary>Backup that its first start begins with; every member with the same one. Null: none.</summary>
    public string? Restore { get; init; }

    /// <summary>Largest size of its data in bytes: beyond it takes no more changes.</summary>
    public long Quota { get; init; } = DefaultQuota;

    /// <summary>How often a leader shows that it is there. Ten of these without a word begin an election.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Where agents reach it.</summary>
    public Uri ClientUri => Uri(ClientPort);

    /// <summary>Where members reach it.</summary>
    public Uri PeerUri => Uri(PeerPort);

    /// <summary>It as the others know it.</summary>
    public EtcdPeer AsPeer => new(Name, PeerUri);

    /// <summary>What it is started with, for etcd from 3.4 on. Pure.</summary>
    /// <param name="folder">Folder of its data.</param>
    internal ImmutableArray<string> Arguments(string folder) =>
    [
        "--name", Name, "--data-dir", folder, .. Standing(),
        "--initial-cluster", string.Join(',', Cluster.Select(peer => $"{peer.Name}={Text(peer.Address)}")),
        "--initial-cluster-state", Joins ? "existing" : "new",
        "--initial-cluster-token", Token,
    ];

    /// <summary>All that its first start does not alone read: when this changes it must be started again. Pure.</summary>
    internal IEnumerable<string> Standing()
    {
        const int heartbeatsToElection = 10;
        var heartbeat = (long)Heartbeat.TotalMilliseconds;
        string[] plain =
        [
            "--listen-client-urls", Text(ClientUri),
            "--advertise-client-urls", Text(ClientUri),
            "--listen-peer-urls", Text(PeerUri),
            "--initial-advertise-peer-urls", Text(PeerUri),
            "--listen-metrics-urls", string.Create(CultureInfo.InvariantCulture, $"http://{Engine.Address}:{MetricsPort}"),
            "--quota-backend-bytes", Quota.ToString(CultureInfo.InvariantCulture),
            // What is older than an hour nobody watches from; who does lists again.
            "--auto-compaction-mode", "periodic", "--auto-compaction-retention", "1h",
            "--max-request-bytes", "1572864", "--max-txn-ops", "128",
            "--heartbeat-interval", heartbeat.ToString(CultureInfo.InvariantCulture),
            "--election-timeout", (heartbeat * heartbeatsToElection).ToString(CultureInfo.InvariantCulture),
            // One that was cut off does not end a leadership when it comes back.
            "--pre-vote",
            "--snapshot-count", "10000",
            "--experimental-watch-progress-notify-interval", "10s",
            "--experimental-initial-corrupt-check",
            "--logger", "zap", "--log-outputs", "stderr",
        ];
        return Tls is null
            ? plain
            :
            [
                .. plain,
                "--cert-file", Tls.Certificate, "--key-file", Tls.Key, "--trusted-ca-file", Tls.Authority, "--client-cert-auth",
                "--peer-cert-file", Tls.Certificate, "--peer-key-file", Tls.Key, "--peer-trusted-ca-file", Tls.Authority, "--peer-client-cert-auth",
            ];
    }

    /// <summary>An address as etcd writes it: without a slash at its end.</summary>
    internal static string Text(Uri address) => $"{address.Scheme}://{address.Authority}";

    private Uri Uri(int port) => new($"{(Tls is null ? "http" : "https")}://{new IPEndPoint(IPAddress.Parse(Address), port)}");
}

/// <summary>A member as the others know it.</summary>
/// <param name="Name">Its name in the cluster.</param>
/// <param name="Address">Where members reach it.</param>
public sealed record EtcdPeer(string Name, Uri Address);

/// <summary>
/// Files for mutual TLS, in PEM, which the engine's user can read. The certificate is good for servers and for clients (both extended key
/// usages) and for the machine's address: members are each other's clients, and etcd's JSON gateway is one of its own member.
/// </summary>
/// <param name="Authority">The stack's authority.</param>
/// <param name="Certificate">The machine's certificate.</param>
/// <param name="Key">Its private key.</param>
public sealed record EtcdFiles(string Authority, string Certificate, string Key);
