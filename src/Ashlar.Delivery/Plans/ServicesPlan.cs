using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Delivery.Plans;

/// <summary>The plan of the services tier: the app's own services. Pure; what it takes from the agent's environment is given to it.</summary>
public static class ServicesPlan
{
    /// <summary>Name of the tier.</summary>
    public const string Tier = "services";

    private const string DoorPrefix = "service:";

    /// <summary>
    /// The instances wanted. The agent fills in at each start what belongs to that start alone: PORT, the log's path and the tag.
    /// </summary>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context) => Plan(context, ServiceEnvironment.FromAgent());

    /// <summary>The same with an environment of the agent's that is given.</summary>
    /// <param name="context">All that the plan looks at.</param>
    /// <param name="agent">As <see cref="ServiceEnvironment.FromAgent"/> gives it.</param>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context, ImmutableSortedDictionary<string, string> agent) =>
        context.Stack.Services
            .Where(service => !context.Stopped.Contains(service.Name))
            .SelectMany(service => Enumerable
                .Range(1, context.Scale.GetValueOrDefault(service.Name, service.Instances))
                .Where(index => !context.Stopped.Contains(NameOf(service, index)))
                .Select(index => Instance(context, agent, service, index)));

    /// <summary>The whole environment of one instance but PORT; also what a one-off command of the service gets.</summary>
    public static ImmutableSortedDictionary<string, string> Environment(
        PlanContext context, ImmutableSortedDictionary<string, string> agent, ServiceDefinition service, string instance)
    {
        var environment = WithTiers(context, ServiceEnvironment.Of(agent, context.Stack, service, context.ConfigVars, context.Release), service.Name);
        environment["ASHLAR_INSTANCE"] = instance;
        return environment.ToImmutable();
    }

    private static ImmutableSortedDictionary<string, string>.Builder WithTiers(
        PlanContext context, ImmutableSortedDictionary<string, string>.Builder environment, string? own)
    {
        foreach (var listener in context.Listeners)
        {
            if (listener.Service is { } other && other != own && listener.Name.StartsWith(DoorPrefix, StringComparison.Ordinal))
            {
                // An app may be told by hand to call another address.
                environment.TryAdd(UrlVariable(other), UrlOf(listener));
            }
        }

        foreach (var (name, value) in context.Variables)
        {
            environment.TryAdd(name, value);
        }

        return environment;
    }

    /// <summary>The environment of commands that are of no service: of jobs and of the clock. The doors of all services are in it.</summary>
    public static ImmutableSortedDictionary<string, string> CommandEnvironment(PlanContext context, ImmutableSortedDictionary<string, string> agent) =>
        WithTiers(context, ServiceEnvironment.Of(agent, context.Stack, null, context.ConfigVars, context.Release), null).ToImmutable();

    private static DesiredInstance Instance(
        PlanContext context, ImmutableSortedDictionary<string, string> agent, ServiceDefinition service, int index)
    {
        var name = NameOf(service, index);
        var environment = Environment(context, agent, service, name);
        var serves = service.Interface != ServiceInterface.None;
        return new DesiredInstance
        {
            Tier = Tier,
            Service = service.Name,
            Index = index,
            Fingerprint = Fingerprint(context, agent, service, name, environment),
            Launch = new LaunchSpec
            {
                Command = Command(context, service, name),
                Environment = service.Interface == ServiceInterface.Cgi ? environment.AddRange(CgiHost.Where(own => !environment.ContainsKey(own.Key))) : environment,
                WorkingDirectory = service.Folder.Length == 0 ? context.ReleaseFolder : Path.Combine(context.ReleaseFolder, service.Folder),
                LogPath = "",
                Tag = "",
                User = context.User,
                OpenFiles = service.Limits.Files,
                Memory = service.Limits.Memory,
                Cpu = service.Limits.Cpu,
            },
            Readiness = serves ? Readiness.Http : Readiness.Alive,
            HasEndpoint = serves,
            OnSocket = serves && service.OnSocket,
            StopGrace = service.StopGrace,
            StartTimeout = service.StartTimeout,
            Release = context.Release,
            After = context.Backing,
            Machines = service.Machines,
        };
    }

    private static ImmutableSortedDictionary<string, string> CgiHost { get; } = ChildEnvironment.OfOwnProgram.AddRange(ChildEnvironment.SmallProcess);

    // An instance of a CGI service is a program of ours that starts the team's for each request.
    private static ImmutableArray<string> Command(PlanContext context, ServiceDefinition service, string name) =>
        service.Interface != ServiceInterface.Cgi ? ShellCommand.ToArguments(service.Run) :
        [
            context.Program, "cgi",
            "--instance", name,
            "--processes", service.RequestLimit!.Value.ToString(CultureInfo.InvariantCulture),
            "--time", service.Limits.Time.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            .. service.Root is { } root ? ["--root", root] : ImmutableArray<string>.Empty,
            .. service.Run.Length > 0 ? ["--run", service.Run] : ImmutableArray<string>.Empty,
        ];

    // Everything whose change needs a new process. Not the release's name, nor its folder: an instance of a service that has not
    // changed goes on in the folder of the release that it was started from. And not what comes from the agent's own environment: an
    // agent started from another shell replaces nothing.
    private static string Fingerprint(
        PlanContext context,
        ImmutableSortedDictionary<string, string> agent,
        ServiceDefinition service,
        string name,
        ImmutableSortedDictionary<string, string> environment)
    {
        var text = new StringBuilder();
        void Add(string key, object? value)
        {
            var shown = string.Create(CultureInfo.InvariantCulture, $"{value}");
            text.Append(CultureInfo.InvariantCulture, $"{key}\0{shown.Length}\0{shown}\n");
        }

        Add("content", context.Contents.GetValueOrDefault(service.Name));
        Add("build", service.Build);
        Add("run", service.Run);
        Add("folder", service.Folder);
        Add("interface", service.Interface);
        if (service.OnSocket)
        {
            Add("listen", "socket");
        }

        if (service.Interface == ServiceInterface.Cgi)
        {
            Add("program", context.ProgramVersion);
            Add("root", service.Root);
            Add("processes", service.RequestLimit);
            Add("time", service.Limits.Time);
        }

        Add("memory", service.Limits.Memory);
        Add("cpu", service.Limits.Cpu);
        Add("files", service.Limits.Files);
        Add("user", context.User);
        Add("restarts", context.RestartCounts.GetValueOrDefault(service.Name));
        Add("restarts", context.RestartCounts.GetValueOrDefault(name));
        foreach (var (variable, value) in environment)
        {
            if (variable != "ASHLAR_RELEASE" && agent.GetValueOrDefault(variable) != value)
            {
                Add($"env {variable}", value);
            }
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16));
    }

    private static string NameOf(ServiceDefinition service, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{service.Name}.{index}");

    private static string UrlVariable(string service) => service.Replace('-', '_').ToUpperInvariant() + "_URL";

    // A door is opened on loopback; one on all addresses is reached there as well.
    private static string UrlOf(CatalogListener listener)
    {
        var address = IPAddress.Parse(listener.Address);
        address = address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;
        var host = address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"http://{host}:{listener.Port}");
    }
}
