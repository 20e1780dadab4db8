using System.Net;
using Ashlar.Catalog;
using Ashlar.Postgres;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Doctoring;

/// <summary>Checks of what one stack needs.</summary>
internal static class StackChecks
{
    private static readonly string[] DefaultUsers = ["ashlar", "nobody"];

    /// <summary>All of them.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="running">Its state if it runs.</param>
    /// <param name="programs">Finds programs as the services will.</param>
    public static IEnumerable<Check> All(StackDefinition stack, StatusReport? running, ServicePrograms programs) =>
        [Port(stack.Edge.Http, running), .. stack.Edge.Https is { } https ? [Port(https, running)] : Array.Empty<Check>(), User(stack), .. ProgramsOf(stack, programs), .. EngineChecks.All(stack),
            .. (running?.Notes ?? []).Select(note => new Check("stack", Verdict.Warning, note))];

    /// <summary>Whether the edge's port is to be had.</summary>
    public static Check Port(ListenAddress listen, StatusReport? running)
    {
        var name = $"port {listen.Port}";
        if (running is not null) return Check.Good(name, $"{listen.Address}, held by this stack");
        var address = IPAddress.Parse(listen.Address);
        if (PortOwner.Find(address, listen.Port) is { } owner)
        {
            return new(name, Verdict.Failed, $"{listen.Address}, held by {owner}", "stop that program, or move ours with edge: {listen: {http: PORT}}");
        }

        if (listen.Port < FirstOpenPort() && !SystemUsers.IsRoot)
        {
            return new(name, Verdict.Failed, $"only root may open ports below {FirstOpenPort()} here",
                "run ashlar as root, move it with edge: {listen: {http: 8080}}, or sysctl net.ipv4.ip_unprivileged_port_start");
        }

        return Check.Good(name, $"{listen.Address}, free");
    }

    /// <summary>The user that services run as.</summary>
    public static Check User(StackDefinition stack)
    {
        if (!SystemUsers.IsRoot)
        {
            return Check.Good("user", $"{SystemUsers.Current.Name}; root is not needed");
        }

        var names = stack.User is { } named ? [named] : DefaultUsers;
        return names.Select(SystemUsers.Find).FirstOrDefault(user => user is not null) is { } found
            ? Check.Good("user", $"root; services run as {stack.User ?? $"the owner of the folder, else {found.Name}"}")
            : new("user", Verdict.Failed, $"there is no user {names[0]} to run services as", $"adduser --system {names[0]}, or name one with user:");
    }

    /// <summary>PostgreSQL, where the stack asks for it.</summary>
    public static IEnumerable<Check> Database(StackDefinition stack)
    {
        if (stack.Database is not { } database) yield break;
        var installed = PostgresPrograms.Installed;
        var wanted = database.Version ?? PostgresPrograms.Proven;
        var runs = installed.Contains(wanted) ? wanted : database.Version is null && installed.Count > 0 ? installed[^1] : 0;
        yield return runs == 0
            ? new("PostgreSQL", Verdict.Failed, installed.Count == 0 ? "is not installed, needed by database" : $"{wanted} is not installed; {string.Join(", ", installed)} is",
                PackageInstaller.CommandLine([$"postgresql-{wanted}"]), $"postgresql-{wanted}")
            : runs != PostgresPrograms.Proven
                ? new("PostgreSQL", Verdict.Warning, $"{runs}, not proven with this Ashlar", $"{PostgresPrograms.Proven} is proven")
                : Check.Good("PostgreSQL", $"{runs}, of {string.Join(", ", installed)} installed");
    }

    /// <summary>The programs that the stack's commands start.</summary>
    public static IEnumerable<Check> ProgramsOf(StackDefinition stack, ServicePrograms programs)
    {
        var commands = stack.Services.SelectMany(service => new[]
        {
            (Key: $"services.{service.Name}.run", Line: service.Run, service.Folder, Path: programs.PathOf(service)),
            (Key: $"services.{service.Name}.build", Line: service.Build ?? "", service.Folder, Path: programs.PathOf(service)),
        }).Append((Key: "release", Line: stack.Release ?? "", Folder: "", Path: programs.PathOf(null)));
        foreach (var group in commands.Select(command => (command.Key, Program: Programs.Of(command.Line), command.Folder, command.Path))
            .Where(command => command.Program is not null).GroupBy(command => (Program: command.Program!, command.Path)))
        {
            string? Find(string program) => programs.Find(program, group.Key.Path);
            yield return Program(group.Key.Program, Find, Path.Combine(stack.Directory, group.First().Folder), string.Join(", ", group.Select(g => g.Key).Distinct()),
                built: stack.Services.Any(service => service.Build is not null));
        }
    }

    private static Check Program(string program, Func<string, string?> find, string folder, string keys, bool built)
    {
        if (program.Contains('/'))
        {
            if (File.Exists(Path.Combine(folder, program))) return Check.Good(program, $"is there, for {keys}");
            return built
                ? Check.Good(program, $"not there yet; a build may make it, for {keys}")
                : new(program, Verdict.Failed, $"is not in {folder}, needed by {keys}", "correct the path");
        }

        if (find(program) is { } path) return Check.Good(program, $"{path}, for {keys}");
        var package = Programs.PackageOf(program);
        return new(program, Verdict.Failed, $"is not on the PATH that services get, needed by {keys}",
            package is null ? $"install it, or correct {keys}" : $"apt-get install {package}", package);
    }

    private static int FirstOpenPort() =>
        File.Exists("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        && int.TryParse(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start"), out var port) ? port : 1024;
}
