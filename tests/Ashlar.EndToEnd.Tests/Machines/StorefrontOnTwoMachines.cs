using System.Text.RegularExpressions;
using Ashlar.Testing;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>
/// The storefront on two machines, made once for the tests of a class. Its engines stand on the second; beside it are the app that answers to the
/// byte, a queue that leaves marks in the database, one that goes to an app, and a schedule. It came up where nothing ran on either machine.
/// </summary>
public sealed partial class StorefrontOnTwoMachines : IAsyncLifetime
{
    private static readonly string Source = Path.Combine(Checkout.Root, "examples", "storefront");

    /// <summary>The host name under which the app answers that the load client knows.</summary>
    public const string RigHost = "rig.test";

    // Whoever is first makes the table.
    private const string Jobs = """
        marks: {run: "psql -qXd \"$DATABASE_URL\" -c \"select pg_advisory_xact_lock(47); create table if not exists marks (what text, at timestamptz default now()); insert into marks values ('$(cat)')\""}
          pushes: {to: rig, path: /jobs}
        """;

    private string _file = "";

    /// <summary>The net.</summary>
    public MachineNet Net { get; private set; } = null!;

    /// <summary>The machine on which the stack began, which leads.</summary>
    public StackMachine First { get; private set; } = null!;

    /// <summary>The other.</summary>
    public StackMachine Second { get; private set; } = null!;

    /// <summary>What <c>up</c> told.</summary>
    public ProgramResult Up { get; private set; } = null!;

    /// <inheritdoc />
    public async Task InitializeAsync()
    {
        if (MachineNet.WhyNot is not null)
        {
            return;
        }

        Net = await MachineNet.CreateAsync(2);
        var building = BuildAsync(Path.Combine(Net[0].Folder, "built"));
        (First, Second) = await TwoAsync(Net, StackFile.Replace("name: rig", "name: storefront", StringComparison.Ordinal).Replace("  web:", "  before:", StringComparison.Ordinal));
        await Second.DoAsync("down");
        Second.Boot();
        await UntilAsync(Soon, async () => await ThreeMachines.StatesAsync(First) is ["alive", "alive"]);

        var text = await File.ReadAllTextAsync(Path.Combine(Source, "ashlar.yaml"));
        text = Build().Replace(text, $"build: cp -R '{await building}/.' .");
        text = Engine().Replace(text, "$1$2, machines: {on: m2}}").Replace(Memcached("m2"), Memcached("m1"), StringComparison.Ordinal);
        text = text.Replace("\nrelease: ", "\nrelease: psql -qXAtd \"$DATABASE_URL\" -c \"select ashlar.enqueue('marks', '\\\"release\\\"')\" && ", StringComparison.Ordinal);
        text = With(text, "services", $"rig: {{run: \"'@APP@'\", route: {RigHost}, health: /up, instances: 2}}");
        text = With(text, "jobs", Jobs);
        text = With(text, "schedule", "tick: {cron: \"* * * * *\", queue: marks, payload: '\"tick\"'}");
        _file = With(Listen().Replace(text, ""), "edge", "listen: {http: 8080}");
        CopySource(First.Folder);
        First.Write("ashlar.yaml", _file);
        Up = await BringUpAsync(First);
        if (Up.ExitCode != 0)
        {
            throw new InvalidOperationException($"{Up}\n{First.AgentLog()}\n--\n{Second.AgentLog()}");
        }
    }

    /// <summary>Brings a changed stack up.</summary>
    public Task<ProgramResult> ChangeAsync(Func<string, string> change)
    {
        First.Write("ashlar.yaml", _file = change(_file));
        return BringUpAsync(First);
    }

    /// <summary>A stack file with one more entry under a key.</summary>
    public static string With(string file, string key, string entry) => file.Contains($"\n{key}:\n", StringComparison.Ordinal)
        ? file.Replace($"\n{key}:\n", $"\n{key}:\n  {entry}\n", StringComparison.Ordinal)
        : $"{file}\n{key}:\n  {entry}\n";

    /// <summary>The file in which Memcached stands on the second machine.</summary>
    public static string MoveMemcached(string file) => file.Replace(Memcached("m1"), Memcached("m2"), StringComparison.Ordinal);

    private static string Memcached(string machine) => $"memcached: {{memory: 64MiB, machines: {{on: {machine}}}}}";

    private static Task<ProgramResult> BringUpAsync(StackMachine machine) => machine.Host.ExecAsync(Checkout.Ashlar, ["up", "--stack", machine.Folder, "--detach"], timeoutSeconds: 400);

    // Outside the net, which leads to no packages. Six programs are compiled here, on a machine that runs other tests meanwhile.
    private static async Task<string> BuildAsync(string folder)
    {
        CopySource(folder);
        var built = await ProgramRun.RunAsync("dotnet", ["build", Path.Combine(folder, "Storefront.slnx"), "-c", "Release", "-v", "quiet"], folder, timeoutSeconds: 400);
        return built.ExitCode == 0 ? folder : throw new InvalidOperationException(built.ToString());
    }

    private static void CopySource(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(Source, "*", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(Source, file).Split('/').Any(part => part is "bin" or "obj" or "out" or ".ashlar" or "ashlar.yaml")))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(Source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <inheritdoc />
    public async Task DisposeAsync()
    {
        if (Net is not null)
        {
            await Net.DisposeAsync();
        }
    }

    [GeneratedRegex("build: dotnet build .*")]
    private static partial Regex Build();

    [GeneratedRegex(@"(redis|memcached)(: \{memory: 64MiB)\}")]
    private static partial Regex Engine();

    [GeneratedRegex("(?<=\n)  listen: \\{.*\n")]
    private static partial Regex Listen();
}
