using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>A stack file as it is written, before the Procfile, app.json and .env add to it.</summary>
internal sealed record StackFile
{
    /// <summary>What every folder without a stack file has.</summary>
    public static readonly StackFile None = new();

    public string? Name { get; init; }

    public ImmutableArray<string> Domains { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Env { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public string? User { get; init; }

    /// <summary>Null: no <c>services</c> key, so the Procfile's entries are the services.</summary>
    public ImmutableArray<WrittenService>? Services { get; init; }

    public Position ServicesAt { get; init; }

    public string? Release { get; init; }

    public EdgeDefinition Edge { get; init; } = new();

    public DataTiers Data { get; init; } = new();

    public JobsFile Jobs { get; init; } = JobsFile.None;

    public DashboardDefinition Dashboard { get; init; } = new();

    public DnsDefinition? Dns { get; init; }

    public ImmutableSortedDictionary<string, MachineDefinition> Machines { get; init; } = ImmutableSortedDictionary<string, MachineDefinition>.Empty;
}

/// <summary>Reads ashlar.yaml.</summary>
internal static class StackFileReader
{
    public static StackFile Read(SourceFile file, string folder, Report report)
    {
        var root = YamlNodes.Read(file, report);
        if (root is not MapNode map)
        {
            if (root is not null)
            {
                report.Add(StackErrors.WrongType(root.At, "the stack file", "a map", root is ScalarNode ? "text" : root.Kind));
            }

            return StackFile.None;
        }

        var s = new Section(map, StackKeys.Root, "", report);
        var domains = Domains(s, report);
        return new StackFile
        {
            Name = Name(s, report),
            Domains = domains,
            Env = VariableReader.Read(s.Named("env"), "env", report),
            User = s.Text("user", Names.IsUser, "the name of a user of this machine"),
            Services = Services(s, folder, report),
            ServicesAt = s.Place("services"),
            Release = s.Text("release", expected: "a command"),
            Edge = EdgeReader.Read(s.Map("edge"), domains, report),
            Data = DataTierReader.Read(s, report),
            Jobs = JobsReader.Read(s, report),
            Dashboard = Dashboard(s, report),
            Dns = DnsReader.Read(s, folder, report),
            Machines = MachineReader.Read(s, report),
        };
    }

    private static string? Name(Section s, Report report)
    {
        if (s.Text("name", expected: "a name") is not { } name)
        {
            return null;
        }

        if (Names.IsLabel(name))
        {
            return name;
        }

        report.Add(StackErrors.BadName(s.Place("name"), "name:", name, Names.Fit(name, "stack")));
        return null;
    }

    private static ImmutableArray<string> Domains(Section s, Report report)
    {
        var domains = ImmutableArray.CreateBuilder<string>();
        foreach (var text in s.Texts("domains") ?? [])
        {
            if (RouteText.HostProblem(text.Text) is { } problem)
            {
                report.Add(StackErrors.BadRoute(text.At, "domains", text.Kind, problem));
            }
            else
            {
                domains.Add(text.Text.ToLowerInvariant());
            }
        }

        return [.. domains.Distinct()];
    }

    private static ImmutableArray<WrittenService>? Services(Section s, string folder, Report report)
    {
        // An empty "services:" still says that the file, not the Procfile, lists them.
        if (s.Named("services") is not { } entries)
        {
            return null;
        }

        var keys = (MapShape)((NamedShape)StackKeys.Root.Find("services")!.Shape).Value;
        var services = ImmutableArray.CreateBuilder<WrittenService>();
        foreach (var (name, value) in entries)
        {
            if (!Names.IsLabel(name.Text))
            {
                report.Add(StackErrors.BadName(name.At, "the service", name.Text, Names.Fit(name.Text, "service")));
            }

            var path = $"services.{name.Text}";
            switch (value)
            {
                case MapNode map:
                    services.Add(ServiceReader.Read(name, new Section(map, keys, path, report), folder, report));
                    break;
                case ScalarNode { IsNull: true }:
                    var empty = new MapNode(value.At, [], 1);
                    services.Add(ServiceReader.Read(name, new Section(empty, keys, path, report), folder, report));
                    break;
                default:
                    var advice = value is ScalarNode ? "a map such as {run: COMMAND}" : "a map";
                    report.Add(StackErrors.WrongType(value.At, path, advice, value.Kind));
                    break;
            }
        }

        return services.ToImmutable();
    }

    private static DashboardDefinition Dashboard(Section s, Report report) => s.Node("dashboard") switch
    {
        null => new DashboardDefinition(),
        ScalarNode => new DashboardDefinition { Enabled = s.Text("dashboard", text => text == "off", "off or a map") is null },
        _ => new DashboardDefinition { Listen = s.Map("dashboard") is { } map ? Listen(map, "listen", report) : null },
    };

    internal static ListenAddress? Listen(Section s, string key, Report report)
    {
        if (s.Text(key, expected: "a port or address:port") is not { } text)
        {
            return null;
        }

        var address = ListenText.Parse(text);
        if (address is null)
        {
            report.Add(StackErrors.BadListen(s.Place(key), s.Full(key), $"\"{text}\""));
        }

        return address;
    }
}
