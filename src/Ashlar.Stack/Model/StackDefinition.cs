using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Ashlar.Stack;

/// <summary>All that one stack file says, with every default filled in. Immutable; valid by construction of the loader.</summary>
public sealed record StackDefinition
{
    /// <summary>The stack's name: a DNS label of 1 to 40 characters. Default: the folder's name, made to fit.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute real path of the folder that holds the stack file.</summary>
    public required string Directory { get; init; }

    /// <summary>Host names the stack answers to; empty means every host.</summary>
    public ImmutableArray<string> Domains { get; init; } = [];

    /// <summary>The services in the order of the file.</summary>
    public ImmutableArray<ServiceDefinition> Services { get; init; } = [];

    /// <summary>Command run once per release after the builds and before any instance starts; null if none.</summary>
    public string? Release { get; init; }

    /// <summary>How the edge listens.</summary>
    public EdgeDefinition Edge { get; init; } = new();

    /// <summary>The machines that the file names. A stack may have others, and these need not have joined yet.</summary>
    public ImmutableSortedDictionary<string, MachineDefinition> Machines { get; init; } = ImmutableSortedDictionary<string, MachineDefinition>.Empty;

    /// <summary>PostgreSQL; null: the stack asks for none.</summary>
    public DatabaseDefinition? Database { get; init; }

    /// <summary>The app cache; null: the stack asks for none.</summary>
    public CacheDefinition? Cache { get; init; }

    /// <summary>The stack's own DNS; null: the stack asks for none.</summary>
    public DnsDefinition? Dns { get; init; }

    /// <summary>The job queue's engine; null: the stack asks for none.</summary>
    public QueueDefinition? Queue { get; init; }

    /// <summary>The queues of jobs in the database, in the order of the file.</summary>
    public ImmutableArray<JobQueueDefinition> Jobs { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>What is done by the clock, in the order of the file.</summary>
    public ImmutableArray<ScheduleDefinition> Schedule { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The page that shows the stack.</summary>
    public DashboardDefinition Dashboard { get; init; } = new();

    /// <summary>Variables for every service from the stack's <c>env</c> key (lowest precedence) and app.json.</summary>
    public ImmutableSortedDictionary<string, string> Env { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Variables from <c>.env</c> (above <see cref="Env"/> and a service's own <c>env</c>, below config vars).</summary>
    public ImmutableSortedDictionary<string, string> DotEnv { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Unprivileged user that services run as when the agent is root; null chooses one (ARCHITECTURE.md).</summary>
    public string? User { get; init; }

    /// <summary>Add-ons that app.json asks for, by their name without plan.</summary>
    public ImmutableArray<string> AddOns { get; init; } = [];

    /// <summary>Variables that app.json wants made up once (<c>generator: secret</c>) and that no file gives.</summary>
    public ImmutableArray<string> GeneratedVariables { get; init; } = [];

    /// <summary>Variables that app.json requires and no file gives: config vars must.</summary>
    public ImmutableArray<string> RequiredVariables { get; init; } = [];
}

/// <summary>A named thing that runs.</summary>
public sealed record ServiceDefinition
{
    /// <summary>A DNS label of 1 to 40 characters, lower case.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Command line; run by <c>sh -c</c>, with <c>exec</c> where it is one simple command. For <see cref="ServiceInterface.Cgi"/> it is run for each
    /// request, and empty where the script itself is.
    /// </summary>
    public required string Run { get; init; }

    /// <summary>Command that builds it inside the release's folder; null if there is nothing to build.</summary>
    public string? Build { get; init; }

    /// <summary>Subfolder of the stack it lives in and runs in, relative; empty for the stack's folder itself.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Instances to run, 0 to 1000.</summary>
    public int Instances { get; init; } = 1;

    /// <summary>Public routes; empty for none.</summary>
    public ImmutableArray<RouteDefinition> Routes { get; init; } = [];

    /// <summary>What it speaks on its port; <see cref="ServiceInterface.None"/> if it listens to nothing (a worker).</summary>
    public ServiceInterface Interface { get; init; }

    /// <summary>True: it serves on a Unix socket, whose path it finds in <c>SOCKET</c>, instead of a port.</summary>
    public bool OnSocket { get; init; }

    /// <summary>Folder, relative to its own, with the files that the edge serves and, for FastCGI, the scripts; null: none.</summary>
    public string? Root { get; init; }

    /// <summary>What a path may be in <see cref="Root"/>, tried in turn; empty: the default of its interface.</summary>
    public ImmutableArray<string> TryFiles { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>How its health is asked. Used only when <see cref="Interface"/> is not None.</summary>
    public HealthDefinition Health { get; init; } = new();

    /// <summary>Limits of each instance.</summary>
    public LimitsDefinition Limits { get; init; } = new();

    /// <summary>Requests in flight at one instance; null: no limit. Each request of CGI is a process, so there is always one.</summary>
    [JsonIgnore]
    public int? RequestLimit => Limits.Requests ?? (Interface == ServiceInterface.Cgi ? LimitsDefinition.CgiRequests : null);

    /// <summary>How requests are spread over its instances.</summary>
    public BalancePolicy Balance { get; init; } = BalancePolicy.LeastRequests;

    /// <summary>The room in front of instances that are all at their limit.</summary>
    public WaitingDefinition Waiting { get; init; } = new();

    /// <summary>The service's own variables.</summary>
    public ImmutableSortedDictionary<string, string> Env { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Time between SIGTERM and SIGKILL, and the bound of a drain. Default 30 s.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time an instance has to become healthy. Default 60 s.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The machines that it may run on.</summary>
    public PlacementDefinition Machines { get; init => field = value ?? PlacementDefinition.Anywhere; } = PlacementDefinition.Anywhere;
}

/// <summary>What a service speaks on its port.</summary>
public enum ServiceInterface
{
    /// <summary>It has no port.</summary>
    None,

    /// <summary>HTTP/1.1.</summary>
    Http,

    /// <summary>FastCGI 1.0, as a responder.</summary>
    FastCgi,

    /// <summary>CGI/1.1: a program that is started for each request.</summary>
    Cgi,
}

/// <summary>How requests are spread over instances.</summary>
public enum BalancePolicy
{
    /// <summary>The less busy of two drawn at random.</summary>
    LeastRequests,

    /// <summary>One after the other.</summary>
    RoundRobin,
}

/// <summary>A public route: requests whose host is <paramref name="Host"/> (null: any) and whose path is or lies under <paramref name="PathPrefix"/>.</summary>
/// <param name="Host">Lower-case host name without port, or null for any.</param>
/// <param name="PathPrefix">Begins with <c>/</c>; matches whole segments.</param>
public sealed record RouteDefinition(string? Host, string PathPrefix);

/// <summary>How an instance's health is asked over HTTP.</summary>
public sealed record HealthDefinition
{
    /// <summary>Path asked; null: any answer below 500 at <c>/</c> is healthy.</summary>
    public string? Path { get; init; }

    /// <summary>Status expected; null: 200 to 399 when a path is given.</summary>
    public int? Status { get; init; }

    /// <summary>Time between questions. Default 5 s (0.1 s while starting).</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time an answer may take. Default 5 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Good answers in a row that make it healthy. Default 1.</summary>
    public int Rise { get; init; } = 1;

    /// <summary>Bad answers in a row that make it unhealthy. Default 3.</summary>
    public int Fall { get; init; } = 3;
}

/// <summary>Limits of one instance; null is no limit.</summary>
public sealed record LimitsDefinition
{
    /// <summary>Scripts of CGI that run at once in one instance, where <see cref="Requests"/> says nothing.</summary>
    public const int CgiRequests = 16;

    /// <summary>Memory in bytes (cgroup where there is one).</summary>
    public long? Memory { get; init; }

    /// <summary>Cores, e.g. 1.5 (cgroup where there is one).</summary>
    public double? Cpu { get; init; }

    /// <summary>Requests in flight at once (the edge holds the rest back).</summary>
    public int? Requests { get; init; }

    /// <summary>Open files (RLIMIT_NOFILE).</summary>
    public int? Files { get; init; }

    /// <summary>Longest that a script of a CGI service may run. Default 5 min.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>The room in which requests wait while every instance is at its limit.</summary>
public sealed record WaitingDefinition
{
    /// <summary>Requests that may wait. Default 1000.</summary>
    public int Room { get; init; } = 1000;

    /// <summary>Time a request may wait before it is answered 503. Default 10 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>How the edge listens.</summary>
public sealed record EdgeDefinition
{
    /// <summary>The plain HTTP listener. Default 127.0.0.1:8080.</summary>
    public ListenAddress Http { get; init; } = new("127.0.0.1", 8080);

    /// <summary>The HTTP cache; null: none.</summary>
    public EdgeCacheDefinition? Cache { get; init; }

    /// <summary>The listener for HTTP over TLS; null: none.</summary>
    public ListenAddress? Https { get; init; }

    /// <summary>Certificates, and what is said about HTTPS.</summary>
    public TlsDefinition Tls { get; init; } = new();

    /// <summary>The domain that requests for the others are redirected to; null: all are served alike.</summary>
    public string? Canonical { get; init; }

    /// <summary>What it does as a web server.</summary>
    public WebDefinition Web { get; init => field = value ?? field; } = new();
}

/// <summary>Certificates of the edge, and what it says about HTTPS.</summary>
public sealed record TlsDefinition
{
    /// <summary>Address of the ACME directory (RFC 8555 section 7.1.1); null: the stack's own authority issues.</summary>
    public string? Authority { get; init; }

    /// <summary>PEM file with the certificate by which the directory's server is known, absolute or from the stack's folder; null: the system knows it.</summary>
    public string? AuthorityCa { get; init; }

    /// <summary>Address that the authority may write to; null: none.</summary>
    public string? Email { get; init; }

    /// <summary>True: plain HTTP is redirected to HTTPS for the hosts that have a certificate.</summary>
    public bool Redirect { get; init; } = true;

    /// <summary>Time for which browsers shall use HTTPS alone; zero: nothing is said.</summary>
    public TimeSpan Hsts { get; init; }
}

/// <summary>PostgreSQL: one primary with its replicas.</summary>
public sealed record DatabaseDefinition
{
    /// <summary>Servers that stream from the primary, 0 to 8.</summary>
    public int Replicas { get; init; }

    /// <summary>Major version; null: the data's own, and for new data 15 if it is installed, else the newest that is.</summary>
    public int? Version { get; init; }

    /// <summary>Memory limit of each server in bytes, from which its buffers follow; null: no limit.</summary>
    public long? Memory { get; init; }

    /// <summary>Settings of postgresql.conf that stand above Ashlar's own.</summary>
    public ImmutableSortedDictionary<string, string> Settings { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The machines that it may run on.</summary>
    public PlacementDefinition Machines { get; init => field = value ?? PlacementDefinition.Anywhere; } = PlacementDefinition.Anywhere;
}

/// <summary>The app cache: engines that may forget.</summary>
public sealed record CacheDefinition
{
    /// <summary>Redis that evicts the least recently used and writes nothing to disk; null: none.</summary>
    public RedisDefinition? Redis { get; init; }

    /// <summary>Memcached; null: none.</summary>
    public MemcachedDefinition? Memcached { get; init; }
}

/// <summary>The queue's engine: one that must not forget.</summary>
public sealed record QueueDefinition
{
    /// <summary>Redis that evicts nothing and logs every write; null: none.</summary>
    public RedisDefinition? Redis { get; init; }
}

/// <summary>One Redis.</summary>
public sealed record RedisDefinition
{
    /// <summary>Memory for data in bytes (maxmemory). Default 128 MiB.</summary>
    public long Memory { get; init; } = 128 << 20;

    /// <summary>The machines that it may run on.</summary>
    public PlacementDefinition Machines { get; init => field = value ?? PlacementDefinition.Anywhere; } = PlacementDefinition.Anywhere;
}

/// <summary>One Memcached.</summary>
public sealed record MemcachedDefinition
{
    /// <summary>Memory for items in bytes. Default 64 MiB.</summary>
    public long Memory { get; init; } = 64 << 20;

    /// <summary>The machines that it may run on.</summary>
    public PlacementDefinition Machines { get; init => field = value ?? PlacementDefinition.Anywhere; } = PlacementDefinition.Anywhere;
}

/// <summary>The page that shows the stack.</summary>
public sealed record DashboardDefinition
{
    /// <summary>False: it does not run.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Where it listens; null: on loopback, on a port of its own that the stack keeps.</summary>
    public ListenAddress? Listen { get; init; }
}

/// <summary>A TCP address to listen on.</summary>
/// <param name="Address">IPv4 or IPv6 literal; <c>0.0.0.0</c> or <c>::</c> for all.</param>
/// <param name="Port">1 to 65535.</param>
public sealed record ListenAddress(string Address, int Port);
