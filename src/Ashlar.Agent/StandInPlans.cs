using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent;

internal static class ServicesPlan
{
    public static ImmutableArray<DesiredInstance> Plan(PlanContext c) =>
    [
        .. c.Stack.Services.Where(s => !c.Stopped.Contains(s.Name)).SelectMany(s => Enumerable.Range(1, c.Scale.GetValueOrDefault(s.Name, s.Instances))
            .Where(i => !c.Stopped.Contains($"{s.Name}.{i}")).Select(i => new DesiredInstance
            {
                Tier = "services",
                Service = s.Name,
                Index = i,
                Fingerprint = $"{s.Run} {c.Contents.GetValueOrDefault(s.Name)} {c.RestartCounts.GetValueOrDefault(s.Name)} {c.RestartCounts.GetValueOrDefault($"{s.Name}.{i}")}",
                HasEndpoint = s.Interface == ServiceInterface.Http,
                Readiness = s.Interface == ServiceInterface.Http ? Readiness.Http : Readiness.Alive,
                StopGrace = s.StopGrace,
                StartTimeout = s.StartTimeout,
                Release = c.Release,
                Launch = new LaunchSpec
                {
                    Command = Ashlar.Stack.ShellCommand.ToArguments(s.Run),
                    WorkingDirectory = c.ReleaseFolder,
                    LogPath = "",
                    Tag = "",
                    User = c.User,
                    Environment = s.Env.SetItem("PATH", Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin"),
                },
            })),
    ];
}
