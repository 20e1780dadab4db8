using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Ashlar.Agents;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Jobs;
using Ashlar.Output;
using Ashlar.Postgres;
using Ashlar.Postgres.Administration;
using Ashlar.Tracing;

namespace Ashlar.Commands;

/// <summary><c>ashlar trace</c>.</summary>
internal static class TraceCommand
{
    public static Verb Verb { get; } = new("trace", VerbGroup.Run, "Follow one request through the stack and say each step with its time", Create,
        "ashlar trace http://localhost:8080/", "ashlar trace /cart", "ashlar trace https://shop.test/ -H 'Accept-Language: de'", "ashlar trace / --json");

    // A job that is done at once is done by then; the clocks of this machine and of the database's may differ.
    private static readonly TimeSpan ForJobs = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ClocksApart = TimeSpan.FromMinutes(1);

    private static Command Create(Cli cli)
    {
        var url = new Argument<string>("URL") { Description = "where the request goes; a path alone means the stack's first address" };
        var method = new Option<string>("--method", "-X") { Description = "method of the request", HelpName = "METHOD", DefaultValueFactory = _ => "GET" };
        var fields = new Option<string[]>("--header", "-H") { Description = "a further header field, NAME: VALUE; may be repeated", HelpName = "FIELD" };
        var line = new Option<bool>("--line") { Description = "only the edge's line of the trace with this id", Hidden = true };
        return VerbCall.Command(cli, Verb, [url, method, fields, line], async (call, cancellation) =>
        {
            if (call.Value(line))
            {
                return await LineAsync(call, call.Value(url)!, HostOf([.. (call.Value(fields) ?? []).Select(Field)]) ?? "", cancellation);
            }

            var report = await TraceAsync(call, call.Value(url)!, call.Value(method)!, [.. (call.Value(fields) ?? []).Select(Field)], cancellation);
            call.Print(report, CliJson.Default.TraceReport, TraceView.Render);
            return report.Status is null ? ExitCodes.Unhealthy : ExitCodes.Ok;
        });
    }

    private static async Task<TraceReport> TraceAsync(VerbCall call, string target, string method, (string Name, string Value)[] fields, CancellationToken cancellation)
    {
        StatusReport stack;
        await using (var agent = await call.AgentAsync(cancellation))
        {
            stack = await agent.StatusAsync(cancellation);
        }

        var url = OwnNames.UrlOf("trace", target, stack);
        var trace = TraceId.New();
        var clock = new Stopwatch();
        var servers = await WatchAsync(call, stack, trace, clock, cancellation);
        var client = await ClientSide.AskAsync(url, Method(method), fields, trace, OwnNames.AddressOf(url.Host, stack), clock, cancellation);
        var jobs = client.Status is null ? [] : await JobsAsync(call, stack, trace, client.Began, cancellation);
        var (edge, machine) = client.Status is null ? (null, "") : await EdgeAsync(call, trace, HostOf(fields) ?? url.Authority, client, cancellation);
        ImmutableArray<TracedStatement> statements = [];
        foreach (var server in servers ?? [])
        {
            await using (server)
            {
                statements = statements.AddRange(await server.EndAsync());
            }
        }

        return TraceSteps.Of(new Seen
        {
            Trace = trace,
            Url = url,
            Method = method,
            Client = client,
            Stack = stack,
            Edge = edge,
            Machine = machine,
            Statements = servers is null ? default : statements,
            Jobs = jobs,
        });
    }

    /// <summary>The jobs that the request has enqueued. Those that are done at once are waited for, to say how it went.</summary>
    private static async Task<ImmutableArray<TracedJobReport>> JobsAsync(VerbCall call, StatusReport stack, TraceId trace, DateTimeOffset began, CancellationToken cancellation)
    {
        if (stack.Tiers.All(tier => tier.Name != JobsPlan.Tier))
        {
            return [];
        }

        try
        {
            await using var administration = await JobsAdministration.OpenAsync(await PgCommand.AccessAsync(call, cancellation), stack.Stack, cancellation);
            for (var waited = TimeSpan.Zero; ; waited += BetweenLooks)
            {
                var jobs = await administration.TracedAsync(trace.Id, began - ClocksApart, cancellation);
                if (waited >= ForJobs || jobs.All(job => job.State is not ("ready" or "running")))
                {
                    return jobs;
                }

                await Task.Delay(BetweenLooks, cancellation);
            }
        }
        catch (AshlarException)
        {
            // There is no database that answers, and so none of them is seen.
            return [];
        }
    }

    /// <summary>The edge's line: of this machine, or of the one whose address the connection led to.</summary>
    private static async Task<(EdgeLine? Line, string Machine)> EdgeAsync(VerbCall call, TraceId trace, string host, ClientSide client, CancellationToken cancellation)
    {
        var others = await OtherMachines.FindAsync(call.Cli, call.StackFolder, cancellation);
        if (others?.All.FirstOrDefault(machine => machine.Address == client.Connected?.Address.ToString()) is not { } there)
        {
            return (await EdgeLines.FindAsync(Log(call), trace.Id, host, cancellation), others?.Own ?? "");
        }

        using var said = new MemoryStream();
        return await others.RunAsync(there, ["trace", trace.Id, "--line", "-H", $"Host: {host}"], said, Stream.Null, cancellation) == ExitCodes.Ok
            ? (JsonSerializer.Deserialize(said.ToArray(), TraceJson.Default.EdgeLine), there.Name) : (null, there.Name);
    }

    private static async Task<int> LineAsync(VerbCall call, string trace, string host, CancellationToken cancellation)
    {
        if (!TraceId.IsId(trace))
        {
            throw CliErrors.Usage("trace", $"'{trace}' is no id of a trace.");
        }

        if (await EdgeLines.FindAsync(Log(call), trace, host, cancellation) is not { } found)
        {
            return ExitCodes.Unhealthy;
        }

        call.Cli.Out.Write(JsonSerializer.Serialize(found, TraceJson.Default.EdgeLine) + "\n");
        return ExitCodes.Ok;
    }

    private static string Log(VerbCall call) => Agent.Hosting.StateFolder.Of(call.StackFolder).AccessLog;

    /// <summary>Looks at the sessions of all the database's servers that answer; null: there is none.</summary>
    private static async Task<StatementTrace[]?> WatchAsync(VerbCall call, StatusReport stack, TraceId trace, Stopwatch clock, CancellationToken cancellation)
    {
        if (stack.Tiers.FirstOrDefault(tier => tier.Name == PostgresTier.Tier) is not { } database)
        {
            return null;
        }

        var watches = new List<StatementTrace>();
        try
        {
            var access = await PgCommand.AccessAsync(call, cancellation);
            foreach (var server in database.Services.SelectMany(service => service.Instances).Where(instance => instance is { State: InstanceState.Healthy, Port: > 0 }))
            {
                watches.Add(await StatementTrace.StartAsync(access with { Port = server.Port }, server.Name, trace.Id, clock, cancellation));
            }
        }
        catch (AshlarException)
        {
            // What the others ran is seen all the same.
        }

        return [.. watches];
    }

    private static HttpMethod Method(string method)
    {
        try
        {
            return new HttpMethod(method);
        }
        catch (FormatException)
        {
            throw CliErrors.Usage("trace", $"'{method}' is no method.");
        }
    }

    private static string? HostOf((string Name, string Value)[] fields) =>
        fields.FirstOrDefault(field => field.Name.Equals("Host", StringComparison.OrdinalIgnoreCase)).Value;

    private static (string Name, string Value) Field(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && !text.Any(char.IsControl) ? (text[..colon].Trim(), text[(colon + 1)..].Trim()) : throw CliErrors.Usage("trace", $"'{text}' is no header field: NAME: VALUE.");
    }
}
