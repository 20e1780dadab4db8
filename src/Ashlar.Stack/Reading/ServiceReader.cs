using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>A service as the file has it: what the Procfile or app.json may still add is null.</summary>
internal sealed record WrittenService(ServiceDefinition Definition, Position At)
{
    public string? Run { get; init; }

    public int? Instances { get; init; }

    /// <summary>False: no <c>route</c> key, so the default may apply.</summary>
    public bool SaysRoute { get; init; }

    public Position RouteAt { get; init; }
}

/// <summary>Reads one service of the stack file.</summary>
internal static class ServiceReader
{
    public static WrittenService Read(ScalarNode name, Section s, string folder, Report report)
    {
        var defaults = new ServiceDefinition { Name = name.Text, Run = "" };
        var routes = Routes(s, report);
        var root = WebReader.Folder(s, "root", report);
        var definition = defaults with
        {
            Build = s.Text("build", expected: "a command"),
            Folder = Directory(s, folder, report),
            Routes = routes,
            Interface = s.Choice("interface") switch
            {
                "fastcgi" => ServiceInterface.FastCgi,
                "cgi" => ServiceInterface.Cgi,
                null => routes.Length > 0 || s.Has("health") || s.Has("endpoint") || root is not null ? ServiceInterface.Http : ServiceInterface.None,
                _ => ServiceInterface.Http,
            },
            OnSocket = s.Choice("endpoint") == "socket",
            Root = root,
            TryFiles = WebReader.TryFiles(s, report),
            Health = Health(s, report),
            Limits = Limits(s.Map("limits")),
            Balance = s.Choice("balance") == "round-robin" ? BalancePolicy.RoundRobin : BalancePolicy.LeastRequests,
            Waiting = Waiting(s.Map("waiting")),
            Env = VariableReader.Read(s.Named("env"), s.Full("env"), report),
            StopGrace = s.Map("stop")?.Time("grace") ?? defaults.StopGrace,
            StartTimeout = s.Map("start")?.Time("timeout") ?? defaults.StartTimeout,
            Machines = MachineReader.Placement(s),
        };
        return new WrittenService(definition, name.At)
        {
            Run = s.Text("run", expected: "a command"),
            Instances = Instances(s, report),
            SaysRoute = s.Has("route"),
            RouteAt = s.Place("route"),
        };
    }

    private static int? Instances(Section s, Report report)
    {
        if (s.Node("instances") is not MapNode map)
        {
            return s.Integer("instances");
        }

        report.Add(StackErrors.NotBuiltYet(map.At, $"{s.Full("instances")} with min and max", "give one number"));
        return null;
    }

    private static ImmutableArray<RouteDefinition> Routes(Section s, Report report)
    {
        var routes = ImmutableArray.CreateBuilder<RouteDefinition>();
        foreach (var text in s.Texts("route") ?? [])
        {
            if (RouteText.Parse(text.Text, out var problem) is { } route)
            {
                routes.Add(route);
            }
            else
            {
                report.Add(StackErrors.BadRoute(text.At, s.Full("route"), text.Kind, problem!));
            }
        }

        return routes.ToImmutable();
    }

    private static HealthDefinition Health(Section s, Report report)
    {
        var defaults = new HealthDefinition();
        if (s.Node("health") is ScalarNode)
        {
            return defaults with { Path = Path(s, "health", report) };
        }

        return s.Map("health") is not { } map ? defaults : new HealthDefinition
        {
            Path = Path(map, "path", report),
            Status = map.Integer("status"),
            Interval = map.Time("interval") ?? defaults.Interval,
            Timeout = map.Time("timeout") ?? defaults.Timeout,
            Rise = map.Integer("rise") ?? defaults.Rise,
            Fall = map.Integer("fall") ?? defaults.Fall,
        };
    }

    private static string? Path(Section s, string key, Report report)
    {
        if (s.Text(key, expected: "a path such as /up") is not { } path)
        {
            return null;
        }

        // A query is welcome here: some frameworks' health pages take one.
        var query = path.IndexOf('?');
        var plain = query < 0 ? path : path[..query] + path[(query + 1)..].Replace("/", "").Replace("?", "");
        if (RouteText.PathProblem(plain) is { } problem)
        {
            report.Add(StackErrors.BadValue(s.Place(key), s.Full(key), $"\"{path}\"", $"a path such as /up ({problem})", null));
            return null;
        }

        return path;
    }

    private static LimitsDefinition Limits(Section? s) => s is null ? new() : new LimitsDefinition
    {
        Time = s.Time("time") ?? new LimitsDefinition().Time,
        Memory = s.Bytes("memory"),
        Cpu = s.Number("cpu"),
        Requests = s.Integer("requests"),
        Files = s.Integer("files"),
    };

    private static WaitingDefinition Waiting(Section? s)
    {
        var defaults = new WaitingDefinition();
        return s is null ? defaults : new WaitingDefinition
        {
            Room = s.Integer("room") ?? defaults.Room,
            Timeout = s.Time("timeout") ?? defaults.Timeout,
        };
    }

    private static string Directory(Section s, string folder, Report report)
    {
        if (s.Text("directory", expected: "a subfolder") is not { } written)
        {
            return "";
        }

        var full = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, written));
        var relative = System.IO.Path.GetRelativePath(folder, full);
        var problem = System.IO.Path.IsPathRooted(written) ? "it is absolute"
            : relative == ".." || relative.StartsWith("../", StringComparison.Ordinal) ? "it leads out of the stack's folder"
            : !System.IO.Directory.Exists(full) ? "there is no such folder"
            : null;
        if (problem is not null)
        {
            report.Add(StackErrors.BadDirectory(s.Place("directory"), s.Full("directory"), $"\"{written}\"", problem));
            return "";
        }

        return relative == "." ? "" : relative;
    }
}
