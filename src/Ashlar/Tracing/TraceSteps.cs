using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Jobs;
using Ashlar.Postgres.Administration;

namespace Ashlar.Tracing;

/// <summary>All that was seen of one request.</summary>
internal sealed record Seen
{
    public required TraceId Trace { get; init; }
    public required Uri Url { get; init; }
    public required string Method { get; init; }
    public required ClientSide Client { get; init; }

    /// <summary>What the stack runs.</summary>
    public required StatusReport Stack { get; init; }

    /// <summary>The edge's line; null: it was not found.</summary>
    public EdgeLine? Edge { get; init; }

    /// <summary>Machine of the edge that wrote it; empty: this one, or the only one.</summary>
    public string Machine { get; init; } = "";

    /// <summary>Statements that named the trace; default: there is no database, or it could not be asked.</summary>
    public ImmutableArray<TracedStatement> Statements { get; init; }

    /// <summary>Jobs that were enqueued by the request.</summary>
    public ImmutableArray<TracedJobReport> Jobs { get; init; } = [];
}

/// <summary>Puts what was seen from outside and from inside into one course. Pure.</summary>
internal static class TraceSteps
{
    private const double WorthTelling = 1;

    public static TraceReport Of(Seen seen)
    {
        var steps = ImmutableArray.CreateBuilder<TraceStep>();
        var notes = ImmutableArray.CreateBuilder<string>();
        var client = seen.Client;
        var sent = Outside(seen, steps);
        if (seen.Edge is { } edge)
        {
            var received = Received(client, edge, sent);
            if (received - sent > WorthTelling)
            {
                notes.Add(string.Create(CultureInfo.InvariantCulture, $"{received - sent:0.00} ms before the edge were this program's own, which sends the first request of its life."));
            }

            Inside(seen, edge, received, steps, notes);
        }
        else if (client.Status is not null)
        {
            notes.Add("No edge of this stack has written the request down: another server answers at this address, or the access log cannot be read here.");
        }

        var end = client.EndAt ?? 0;
        steps.Add(client.Status is { } status
            ? new TraceStep("answer", client.HeadAt ?? end, end - (client.HeadAt ?? end), Answer(client, status))
            : new TraceStep("answer", end, null, $"none came: {client.Failure ?? "the connection ended"}"));
        return new TraceReport(seen.Trace.Id, seen.Url.ToString(), seen.Method, client.Status, Math.Round(end, 3), client.Bytes, [.. steps.Select(Rounded)], notes.ToImmutable());
    }

    /// <summary>From the name to the request that leaves; gives when it left.</summary>
    private static double Outside(Seen seen, ImmutableArray<TraceStep>.Builder steps)
    {
        var (client, host) = (seen.Client, seen.Url.Host);
        if (client.NameAt is not { } named)
        {
            steps.Add(new TraceStep("name", 0, null, $"{host} has no address that this machine knows"));
            return 0;
        }

        var addresses = string.Join(", ", client.Addresses);
        steps.Add(new TraceStep("name", 0, named, client.IsNameOfStack
            ? $"{host} is a name of this stack, unknown to the system's resolver: taken to be {addresses}"
            : addresses == host ? $"{host} is an address already" : $"{host} is {addresses}, says the system's resolver"));
        if (client.ConnectedAt is not { } connected || client.Connected is not { } where)
        {
            steps.Add(new TraceStep("port", named, null, $"nothing accepts connections at {addresses} port {seen.Url.Port}"));
            return named;
        }

        steps.Add(new TraceStep("port", named, connected - named, $"{where} accepts the connection"));
        if (client.SecuredAt is not { } secured)
        {
            return connected;
        }

        var trust = client.Distrust is { } why ? $"; a browser here would refuse it: {why}" : "";
        steps.Add(new TraceStep("tls", connected, secured - connected, $"{client.Tls}; certificate for {client.Certificate}{trust}"));
        return secured;
    }

    /// <summary>
    /// When the edge began with the request: as its line says, to the millisecond, but after the connection stood, and no later than the answer's head leaves
    /// time for, nor too late to end with it. What is between is the client's own.
    /// </summary>
    private static double Received(ClientSide client, EdgeLine edge, double connected)
    {
        var untilHead = edge.UpstreamMs is { } upstream && edge.FirstMs is { } first ? edge.Ms - upstream + first : edge.Ms;
        var end = client.EndAt ?? double.MaxValue;
        return Math.Max(connected, Math.Min((edge.Time - client.Began).TotalMilliseconds, Math.Min((client.HeadAt ?? end) - untilHead, end - edge.Ms)));
    }

    private static void Inside(Seen seen, EdgeLine edge, double sent, ImmutableArray<TraceStep>.Builder steps, ImmutableArray<string>.Builder notes)
    {
        var on = seen.Machine.Length > 0 ? $" on {seen.Machine}" : "";
        var process = Find(seen.Stack, "edge.1", seen.Machine);
        steps.Add(new TraceStep("edge", sent, edge.Ms, $"edge{Pid(process)}{on} reads the request and names it {edge.Id}"));
        if (edge.Service is null)
        {
            steps.Add(new TraceStep("route", sent, null, WithoutService(edge.Status), 1));
            return;
        }

        var routes = seen.Stack.Tiers.SelectMany(tier => tier.Services).FirstOrDefault(service => service.Name == edge.Service)?.Routes ?? [];
        steps.Add(new TraceStep("route", sent, null, $"to {edge.Service}{(routes.IsEmpty ? "" : $", which has {string.Join(" and ", routes)}")}", 1));
        if ((seen.Client.CacheStatus ?? edge.Cache) is { } cache)
        {
            steps.Add(new TraceStep("cache", sent, null, cache, 1));
        }

        if (edge.UpstreamMs is not { } upstream)
        {
            steps.Add(new TraceStep("queue", sent, edge.QueueMs, edge.Failure is { } failure ? $"no instance was asked: {failure}" : "no instance was asked: the edge had the answer", 1));
            return;
        }

        var asked = sent + Math.Max(0, edge.Ms - upstream);
        var connecting = asked - (edge.ConnectMs ?? 0);
        steps.Add(new TraceStep("queue", connecting - (edge.QueueMs ?? 0), edge.QueueMs ?? 0, edge.QueueMs > 0 ? "waited for an instance to have room" : "an instance was free at once", 1));
        var instance = Find(seen.Stack, edge.Instance ?? "", null);
        var elsewhere = instance is { Machine.Length: > 0 } && seen.Machine.Length > 0 && instance.Machine != seen.Machine;
        steps.Add(edge.ConnectMs is { } connect
            ? new TraceStep("connection", connecting, connect, $"a new one to {edge.Instance}{(elsewhere ? $", through the edge of {instance!.Machine} over mutual TLS" : "")}", 1)
            : new TraceStep("connection", asked, 0, $"one that was kept from a request before{(elsewhere ? $", through the edge of {instance!.Machine} over mutual TLS" : "")}", 1));
        var retried = edge.Retries > 0 ? string.Create(CultureInfo.InvariantCulture, $" (after {edge.Retries} that did not take it)") : "";
        var first = edge.FirstMs is { } head ? string.Create(CultureInfo.InvariantCulture, $"begins to answer after {head:0.00} ms") : $"gives no answer: {edge.Failure}";
        steps.Add(new TraceStep("instance", asked, upstream, $"{edge.Instance}{Pid(instance)}{Place(instance)} {first}{retried}", 1));
        Behind(seen, asked, steps, notes);
    }

    private static string WithoutService(int status) => status switch
    {
        >= 200 and < 300 or 304 => "no service is asked: the edge serves the file itself",
        >= 300 and < 400 => "no service is asked: the edge redirects",
        404 => "no route leads from this host and path to a service, nor to a file",
        _ => "no service is asked: the edge answers itself",
    };

    private static void Behind(Seen seen, double asked, ImmutableArray<TraceStep>.Builder steps, ImmutableArray<string>.Builder notes)
    {
        foreach (var statement in seen.Statements.IsDefault ? [] : seen.Statements.OrderBy(statement => statement.At).ToArray())
        {
            var text = Commands.PgSessions.OneLine(WithoutComments(statement.Text));
            steps.Add(new TraceStep("statement", Math.Max(asked, statement.At), statement.Took, $"{text} ({statement.Server}, session {statement.Session}{(statement.Took is null ? ", still running" : "")})", 2));
        }

        foreach (var job in seen.Jobs.OrderBy(job => job.Enqueued).ThenBy(job => job.Id))
        {
            var at = (job.Enqueued - seen.Client.Began.UtcDateTime).TotalMilliseconds;
            steps.Add(new TraceStep("job", Math.Max(asked, at), (job.Ended - job.Enqueued)?.TotalMilliseconds, $"{job.Queue} {job.Id} {Fate(job)}", 2));
        }

        if (!seen.Statements.IsDefault && seen.Statements.IsEmpty)
        {
            notes.Add("No statement named this trace: the request ran none, or the app does not say traceparent in a comment of its statements or as application_name (docs/trace.md).");
        }
    }

    private static string Fate(TracedJobReport job)
    {
        static string Time(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.TotalMilliseconds):0.00} ms");
        var attempt = string.Create(CultureInfo.InvariantCulture, $"attempt {job.Attempt}{(job.Attempts > 0 ? $" of {job.Attempts}" : "")}");
        var wait = job.Started is { } started ? $"waited {Time(started - job.Enqueued)}" : "";
        var error = job.Error is { Length: > 0 } why ? $": {Commands.PgSessions.OneLine(why)}" : "";
        var due = job.Due is { } when ? string.Create(CultureInfo.InvariantCulture, $" at {when:yyyy-MM-dd HH:mm:ss} UTC") : "";
        return job.State switch
        {
            "done" => $"{wait}, ran {Time(job.Ended!.Value - job.Started!.Value)} and is done, {attempt}",
            "dead" => $"is dead after {attempt}{error}",
            "retry" => $"has failed and is tried again{due}, {attempt}{error}",
            "scheduled" => $"waits for its time{due}",
            "running" => $"{wait} and runs, {attempt}",
            _ => $"is ready or in hand, {attempt}",
        };
    }

    private static string Answer(ClientSide client, int status) => string.Create(CultureInfo.InvariantCulture,
        $"{client.Version} {status}{(client.Location is { } location ? $" to {location}" : "")}, {client.Bytes:N0} bytes{(client.Failure is { } failure ? $", cut off: {failure}" : "")}");

    private static InstanceReport? Find(StatusReport stack, string name, string? machine) => stack.Tiers.SelectMany(tier => tier.Services)
        .SelectMany(service => service.Instances).FirstOrDefault(instance => instance.Name == name && (string.IsNullOrEmpty(machine) || instance.Machine == machine));

    private static string Pid(InstanceReport? instance) => instance is { Pids: [var pid, ..] } ? string.Create(CultureInfo.InvariantCulture, $", pid {pid},") : "";

    private static string Place(InstanceReport? instance)
    {
        var port = instance is { Port: > 0 } ? string.Create(CultureInfo.InvariantCulture, $" at port {instance.Port}") : "";
        return instance is { Machine.Length: > 0 } ? $"{port} on {instance.Machine}" : port;
    }

    private static string WithoutComments(string statement)
    {
        for (int begin, end; (begin = statement.IndexOf("/*", StringComparison.Ordinal)) >= 0 && (end = statement.IndexOf("*/", begin, StringComparison.Ordinal)) >= 0;)
        {
            statement = statement[..begin] + statement[(end + 2)..];
        }

        return statement;
    }

    private static TraceStep Rounded(TraceStep step) => step with { At = Math.Round(step.At, 3), Took = step.Took is { } took ? Math.Round(took, 3) : null };
}
