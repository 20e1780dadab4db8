namespace Ashlar.Stack;

/// <summary>
/// The one table of keys. The reader knows no name, range or choice that does not stand here, and the schema is written from
/// it, so what editors offer and what is accepted cannot drift apart.
/// </summary>
internal static class StackKeys
{
    private static readonly ServiceDefinition Service = new() { Name = "", Run = "" };
    private static readonly HealthDefinition HealthDefaults = new();
    private static readonly WaitingDefinition WaitingDefaults = new();

    private static readonly Shape Variables = new NamedShape(Names.VariablePattern, new TextShape());

    private static readonly MapShape Health = new(
        [
            new("path", new TextShape("^/"), "Path asked by GET. Without one, any answer below 500 at / is healthy."),
            new("status", new IntegerShape(100, 599), "Status that is expected. Without one, 200 to 399 is healthy."),
            new("interval", Time("100ms", "1h"), "Time between questions; while starting it is 100ms.", Show(HealthDefaults.Interval)),
            new("timeout", Time("10ms", "5m"), "Time an answer may take.", Show(HealthDefaults.Timeout)),
            new("rise", new IntegerShape(1, 100), "Good answers in a row that make an instance healthy.", Show(HealthDefaults.Rise)),
            new("fall", new IntegerShape(1, 100), "Bad answers in a row that make it unhealthy.", Show(HealthDefaults.Fall)),
        ],
        Short: new TextShape("^/"));

    private static readonly MapShape Limits = new(
        [
            new("memory", new SizeShape(1 << 20, 1L << 50), "Memory of one instance, by cgroup where the machine has one."),
            new("cpu", new NumberShape(0.01, 4096), "Cores of one instance, by cgroup where the machine has one."),
            new("requests", new IntegerShape(1, 1_000_000), "Requests in flight at one instance; the edge holds the others back."),
            new("files", new IntegerShape(16, 1_048_576), "Open files of one process (RLIMIT_NOFILE)."),
            new("time", Time("100ms", "24h"), "Longest that a script of a cgi service may run; then it is ended with all that it has started.", Show(Service.Limits.Time)),
        ]);

    private static readonly MapShape Waiting = new(
        [
            new("room", new IntegerShape(0, 1_000_000), "Requests that may wait.", Show(WaitingDefaults.Room)),
            new("timeout", Time("0s", "10m"), "Time a request may wait before it is answered 503.", Show(WaitingDefaults.Timeout)),
        ]);

    private static readonly MapShape Stop = new(
        [new("grace", Time("0s", "1h"), "Time between SIGTERM and SIGKILL, and the bound of a drain.", Show(Service.StopGrace))]);

    private static readonly MapShape Start = new(
        [new("timeout", Time("1s", "1h"), "Time an instance has to become healthy.", Show(Service.StartTimeout))]);

    private static readonly MapShape OnMachines = new(
        [
            new("on", new TextShape(Names.LabelPattern), "A label, or the name of a machine: it runs only there. Without one, on any machine."),
            new("dedicated", new BooleanShape(), "Whether it has machines of its own, on which nothing else is placed.", "false"),
        ]);

    private static readonly StackKey Placed = new("machines", OnMachines, "The machines it may run on, where the stack has several.");

    private static readonly MapShape Machine = new(
        [
            new("address", new TextShape("^[0-9A-Fa-f.:]+$"), "Address at which the other machines reach it."),
            new("labels", new TextsShape(Names.LabelPattern, OrOne: true), "Labels for placement, one or a list, beside those that it was given when it joined."),
        ]);

    private static readonly MapShape ServiceKeys = new(
        [
            new("run", new TextShape(), "Command line, run by sh in the service's directory with PORT in its environment. Without one, the Procfile's entry of this name. For cgi it is run for each request; with a root it may be left out: then the scripts are."),
            new("build", new TextShape(), "Command that builds the service inside the release's folder, before anything starts."),
            new("directory", new TextShape(), "Subfolder of the stack that the service lives and runs in.", "."),
            new("instances", new IntegerShape(0, 1000), "Instances to run.", Show(Service.Instances)),
            new("route", new TextsShape(RouteText.Pattern, OrOne: true), "Public route: /, /path, host or host/path; a list is allowed. The service web gets / when no other has it."),
            new("interface", new ChoiceShape(["http", "fastcgi", "cgi"], "scgi", "uwsgi", "tcp", "udp", "h2c"), "What it speaks where it serves: http, fastcgi (PHP), or cgi: a program that is started for each request. A service with a route or health speaks http; any other is a worker without a port."),
            .. WebKeys.OfService,
            new("health", Health, "Path that answers when an instance is healthy, or a map that says more."),
            new("limits", Limits, "Limits of each instance."),
            new("balance", new ChoiceShape(["least-requests", "round-robin"]), "How requests are spread over the instances.", "least-requests"),
            new("waiting", Waiting, "The room in front of instances that are all at their limit of requests."),
            new("env", Variables, "The service's own variables, above the stack's."),
            new("stop", Stop, "How it is stopped."),
            new("start", Start, "How it is started."),
            Reserved("image", "A container image to run instead of a command."),
            Placed,
        ]);

    private static readonly MapShape Listen = new(
        [
            new("http", new ListenShape(), "Plain HTTP: a port (on all addresses) or address:port.", "127.0.0.1:8080"),
            new("https", new ListenShape(), "HTTP over TLS: a port (on all addresses) or address:port. Without it, none."),
        ],
        Short: new ListenShape());

    private static readonly MapShape Edge = new(
        [
            new("listen", Listen, "Where the edge listens: a port (on all addresses), address:port, or a map."),
            EdgeKeys.Tls,
            EdgeKeys.Canonical,
            .. WebKeys.OfEdge,
            new("cache", EdgeCacheKeys.Shape, "The HTTP cache: a size, which is its memory, or a map."),
        ]);

    private static readonly MapShape Database = new(
        [
            new("replicas", new IntegerShape(0, 8), "Servers that stream from the primary.", "0"),
            new("version", new IntegerShape(13, 18), "Major version. Without one, that of the data, and for new data 15 if it is installed, else the newest that is."),
            new("memory", new SizeShape(64 << 20, 1L << 50), "Memory limit of each server; its buffers follow from it."),
            new("settings", new NamedShape("^[a-z_][a-z0-9_.]*$", new TextShape()), "Settings of postgresql.conf that stand above Ashlar's own."),
            Placed,
            Reserved("reads", "What a reader is held to."),
            Reserved("sync", "Whether a commit waits for replicas."),
            Reserved("backups", "Continuous backups."),
        ]);

    private static readonly MapShape Redis = new([new("memory", new SizeShape(1 << 20, 1L << 50), "Memory for data (maxmemory).", "128MiB"), Placed]);

    private static readonly MapShape Cache = new(
        [
            new("redis", Redis, "Redis that evicts the least recently used and writes nothing to disk. REDIS_URL leads to it."),
            new("memcached", new MapShape([new("memory", new SizeShape(8 << 20, 1L << 50), "Memory for items.", "64MiB"), Placed]), "Memcached. MEMCACHED_SERVERS leads to it."),
        ]);

    private static readonly MapShape Queue = new(
        [new("redis", Redis, "Redis that evicts nothing and logs every write. REDIS_QUEUE_URL leads to it.")]);

    private static readonly MapShape Dashboard = new(
        [new("listen", new ListenShape(), "Where it listens: a port (on all addresses) or address:port. Without one, loopback on a port of its own.")],
        Short: new ChoiceShape(["off"]));

    /// <summary>The whole file.</summary>
    public static readonly MapShape Root = new(
        [
            new("name", new TextShape(Names.LabelPattern), "The stack's name: lower-case letters, digits and inner hyphens, at most 40. Without one, the folder's name made to fit."),
            new("domains", new TextsShape(RouteText.HostPattern, OrOne: true), "Host names the stack answers to. Without any, every host."),
            new("env", Variables, "Variables for every service. A service's env, .env and config vars stand above them."),
            new("user", new TextShape(Names.UserPattern), "Unprivileged user that the services run as when Ashlar is started by root."),
            new("services", new NamedShape(Names.LabelPattern, ServiceKeys), "What the stack runs, by name. Without this key, the Procfile's entries."),
            new("release", new TextShape(), "Command run once per release, after the builds and before the first instance starts."),
            new("edge", Edge, "The load balancer in front of the services."),
            new("machines", new NamedShape(Names.LabelPattern, Machine), "The machines of the stack, by name. Each joins by ashlar machines add. Without this key, those that have joined."),
            new("database", Database, "PostgreSQL. DATABASE_URL leads to the primary, DATABASE_REPLICA_URL to a replica."),
            new("cache", Cache, "Engines for the app's cache."),
            new("queue", Queue, "Engines for the app's jobs."),
            new("dashboard", Dashboard, "The page that shows the stack; off: none."),
            new("jobs", new NamedShape(Names.LabelPattern, JobKeys.Queue), "Queues of jobs in the database, by name, and who does them. ashlar.enqueue puts a job in, within the app's own transaction."),
            new("schedule", new NamedShape(Names.LabelPattern, JobKeys.Schedule), "What is done by the clock, by name: a command is run, or a job enqueued."),
            new("dns", DnsKeys.Dns, "The stack's own DNS: the zones it answers for, and a resolver for its machines."),
            Reserved("image", "A container image to run instead of commands."),
        ]);

    /// <summary>Where a key of this name belongs, <c>services.NAME</c>; null when no place knows it.</summary>
    public static string? HomeOf(string name) => Home(name, Root, "");

    private static string? Home(string name, MapShape map, string path)
    {
        foreach (var key in map.Keys)
        {
            if (key.Name == name)
            {
                return path.Length == 0 ? "the top of the file" : path;
            }

            var full = path.Length == 0 ? key.Name : $"{path}.{key.Name}";
            var home = key.Shape switch
            {
                MapShape below => Home(name, below, full),
                ListShape { Item: MapShape below } => Home(name, below, full),
                NamedShape { Value: MapShape below } => Home(name, below, $"{full}.NAME"),
                _ => null,
            };
            if (home is not null)
            {
                return home;
            }
        }

        return null;
    }

    private static StackKey Reserved(string name, string meaning) => new(name, new ReservedShape(), meaning);

    private static DurationShape Time(string min, string max) => new(Parse(min), Parse(max));

    private static TimeSpan Parse(string text) =>
        Duration.TryParse(text, out var time, out _) ? time : throw new FormatException(text);

    private static string Show(TimeSpan time) => Duration.Format(time);

    private static string Show(int number) => number.ToString();
}
