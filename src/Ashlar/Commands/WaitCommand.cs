using System.CommandLine;
using Ashlar.Agent;
using Ashlar.Agents;
using Ashlar.Catalog;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar wait</c>.</summary>
internal static class WaitCommand
{
    public static Verb Verb { get; } = new("wait", VerbGroup.Run, "Wait until the stack is healthy", Create,
        "ashlar wait", "ashlar wait --timeout 2m");

    private static Command Create(Cli cli)
    {
        var timeout = new Option<string>("--timeout")
        {
            Description = "time to wait at most (30s, 2m), then exit code 5; default 60s",
            HelpName = "TIME",
            DefaultValueFactory = _ => "60s",
        };
        return VerbCall.Command(cli, Verb, [timeout], async (call, cancellation) =>
        {
            var text = call.Value(timeout)!;
            var limit = Units.ParseDuration(text) ?? throw CliErrors.Usage("wait", $"'{text}' is no time such as 30s or 2m.");
            await using var agent = await call.AgentAsync(cancellation);
            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            bounded.CancelAfter(limit);
            StatusReport? last = null;
            try
            {
                using var progress = new Progress(cli.Error, cli.Time, "waiting", silent: call.Json);
                await foreach (var report in agent.WatchAsync(bounded.Token))
                {
                    last = report;
                    if (report is { Healthy: true, Activity: "" }) break;
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw CliErrors.WaitTimedOut(text, WaitingFor(last));
            }

            if (last is not { Healthy: true }) throw AgentErrors.ConnectionLost("watch");
            call.Print(last, CliJson.Agent.StatusReport, ProcessTree.Head);
            return ExitCodes.Ok;
        });
    }

    private static string WaitingFor(StatusReport? report)
    {
        if (report is null) return "the agent has not answered";
        var waiting = report.Tiers.SelectMany(tier => tier.Services).SelectMany(service => service.Instances)
            .Where(instance => instance.State != InstanceState.Healthy)
            .Select(instance => $"{instance.Name} is {instance.State.ToString().ToLowerInvariant()}").ToList();
        return waiting.Count > 0 ? string.Join(", ", waiting) : report.Activity.Length > 0 ? report.Activity : "instances are missing";
    }
}
