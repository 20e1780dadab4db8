using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar maintenance</c>.</summary>
internal static class MaintenanceCommand
{
    public static Verb Verb { get; } = new("maintenance", VerbGroup.Settings, "Answer requests with the maintenance page, or no longer", Create,
        "ashlar maintenance on", "ashlar maintenance off", "ashlar maintenance on web");

    private static Command Create(Cli cli)
    {
        var state = new Argument<string>("on|off") { Description = "on or off" };
        var services = new Argument<string[]>("SERVICE") { Arity = ArgumentArity.ZeroOrMore, Description = "none: all services" };
        return VerbCall.Command(cli, Verb, [state, services], async (call, cancellation) =>
        {
            var on = call.Value(state) switch
            {
                "on" => true,
                "off" => false,
                var other => throw CliErrors.Usage("maintenance", $"'{other}' is neither on nor off."),
            };
            var named = call.Value(services)!;
            await call.OrderAsync(AgentVerbs.Maintenance, new MaintenanceArguments(on, [.. named]),
                AgentJson.Default.MaintenanceArguments, CliJson.Default.DoneReport, "telling the edge", cancellation);
            return call.Done("maintenance", $"maintenance {(on ? "on" : "off")}: {Targets.Say(named)}");
        });
    }
}
