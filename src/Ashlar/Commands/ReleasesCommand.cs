using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar releases</c>.</summary>
internal static class ReleasesCommand
{
    public static Verb Verb { get; } = new("releases", VerbGroup.Ship, "List the releases, newest first", Create,
        "ashlar releases", "ashlar releases --json");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], async (call, cancellation) =>
    {
        var releases = await call.RunningOrNotAsync(
            async agent => await agent.AskAsync(AgentVerbs.Releases, AgentJson.Default.ReleasesResult, null, cancellation) ?? new ReleasesResult([]),
            stack => stack.ReleasesAsync(),
            new ReleasesResult([]),
            cancellation);
        call.Print(releases, CliJson.Agent.ReleasesResult, (screen, result) => Render(screen, result, cli.Time.GetUtcNow()));
        return ExitCodes.Ok;
    });

    /// <summary>The releases as a table.</summary>
    internal static string Render(Screen screen, ReleasesResult result, DateTimeOffset now)
    {
        if (result.Releases.IsEmpty) return "no release yet\n";
        var table = new Table(new("RELEASE"), new("STATUS"), new("AGE", Right: true), new("DESCRIPTION"));
        foreach (var release in result.Releases)
        {
            var ink = release.Status switch { "current" => Ink.Good, "failed" => Ink.Bad, "pruned" => Ink.Dim, _ => Ink.Plain };
            table.Add(release.Name, new Cell(release.Status, ink), Units.Duration(now - release.Created), release.Description);
        }

        return table.Render(screen);
    }
}
