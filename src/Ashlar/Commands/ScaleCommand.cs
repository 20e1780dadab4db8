using System.Collections.Immutable;
using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar scale</c>.</summary>
internal static class ScaleCommand
{
    private const int MostInstances = 1000;

    public static Verb Verb { get; } = new("scale", VerbGroup.Run, "Set how many instances of a service run", Create,
        "ashlar scale web=3", "ashlar scale web=3 worker=0", "ashlar scale database.replicas=2");

    private static Command Create(Cli cli)
    {
        var counts = new Argument<string[]>("SERVICE=N") { Arity = ArgumentArity.OneOrMore, Description = "service, or database.replicas, with the number wanted (0 to 1000). It holds until the stack file says another number than now" };
        return VerbCall.Command(cli, Verb, [counts], async (call, cancellation) =>
        {
            var wanted = Parse(call.Value(counts)!);
            await call.OrderAsync(AgentVerbs.Scale, new ScaleArguments(wanted), AgentJson.Default.ScaleArguments,
                CliJson.Default.DoneReport, "scaling", cancellation);
            return call.Done("scale", string.Join(", ", wanted.Select(pair => $"{pair.Key}={pair.Value}")));
        });
    }

    private static ImmutableSortedDictionary<string, int> Parse(string[] texts)
    {
        var counts = ImmutableSortedDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            if (text.Split('=') is not [{ Length: > 0 } service, var number]
                || !int.TryParse(number, System.Globalization.NumberStyles.None, null, out var count) || count > MostInstances)
            {
                throw CliErrors.Usage("scale", $"'{text}' is not SERVICE=N with N from 0 to {MostInstances}.");
            }

            counts[service] = count;
        }

        return counts.ToImmutable();
    }
}
