using Ashlar.Catalog;
using Ashlar.Output;
using Ashlar.Testing;

namespace Ashlar;

/// <summary>The command line with a fake agent, in a folder of its own that holds a stack.</summary>
internal sealed class CliRig : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 3, 14, 15, 9, 26, TimeSpan.Zero);
    private readonly TempFolder _folder = new();

    public CliRig(bool withStack = true)
    {
        if (withStack) _folder.Write("Procfile", "web: sleep 1000\n");
    }

    public FakeAgent Agent { get; } = new();

    public TempFolder Folder => _folder;

    public string Input { get; set; } = "";

    public bool Interactive { get; set; }

    public Dictionary<string, string> Environment { get; } = [];

    public StringWriter Out { get; } = new();

    public StringWriter Error { get; } = new();

    public Task<int> RunAsync(params string[] words) => CommandLine.RunAsync(
        new Cli
        {
            Out = new Screen(Out),
            Error = new Screen(Error),
            In = () => new StringReader(Input),
            Interactive = Interactive,
            Agents = Agent,
            Folder = _folder.Path,
            Time = new FixedTime(),
            Environment = name => Environment.GetValueOrDefault(name),
        },
        words);

    public void Dispose() => _folder.Dispose();

    public static StatusReport Storefront { get; } = new()
    {
        Stack = "storefront",
        Directory = "/srv/storefront",
        Release = "v12",
        Healthy = false,
        Urls = ["http://127.0.0.1:8080"],
        Agent = Instance("agent", 4711, memory: 39 << 20, cpu: 0.004),
        Tiers =
        [
            new("edge", [new("edge", 1, false, [], [Instance("edge.1", 4720, port: 8080, memory: 61 << 20, cpu: 0.31)])]),
            new("services",
            [
                new("web", 2, false, ["/"],
                [
                    Instance("web.1", 4731, port: 20001, memory: 210 << 20, cpu: 1.25) with { Release = "v12", Pids = [4731, 4735, 4736] },
                    Instance("web.2", 4732, port: 20002) with
                    {
                        Release = "v12", State = InstanceState.Backoff, Pids = [], Started = null, Restarts = 3,
                        Detail = "exit 1, next start in 4 s", LastLines = ["Traceback:", "KeyError: 'DATABASE_URL'"],
                    },
                ]),
                new("worker", 1, true, [], [Instance("worker.1", 4740, memory: 1_600_000_000) with { Release = "v12" }]),
            ]),
        ],
    };

    private static InstanceReport Instance(string name, int pid, int port = 0, long memory = 1 << 20, double cpu = 0) => new()
    {
        Name = name,
        State = InstanceState.Healthy,
        Pids = [pid],
        Port = port,
        Memory = memory,
        Cpu = cpu,
        Started = Now - new TimeSpan(2, 3, 4),
    };

    internal sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
