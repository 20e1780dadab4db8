using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Catalog;
using Ashlar.Output;
using Ashlar.Tracing;

namespace Ashlar.Commands;

/// <summary><c>ashlar cache stats | purge | explain</c>.</summary>
internal static class CacheCommand
{
    public static Verb Verb { get; } = new("cache", VerbGroup.Run, "Show the HTTP cache, take something out of it, or explain a URL", Create,
        "ashlar cache stats", "ashlar cache purge https://shop.test/page", "ashlar cache purge --tag product-7 --soft", "ashlar cache purge --all", "ashlar cache explain https://shop.test/page");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static Command Create(Cli cli)
    {
        var what = new Argument<string?>("URL") { Arity = ArgumentArity.ZeroOrOne, Description = "a URL, or a path on every host" };
        var tag = new Option<string?>("--tag") { Description = "all answers with this tag (Cache-Tag, Surrogate-Key)" };
        var all = new Option<bool>("--all") { Description = "everything" };
        var soft = new Option<bool>("--soft") { Description = "keep it, but have it revalidated before it is used" };
        var asked = new Argument<string>("URL") { Description = "a URL; a path alone means the stack's first address" };
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "stats", "what it holds, and what it did since the edge started", [],
                (call, cancellation) => StatsAsync(call, cancellation)),
            VerbCall.Command(cli, "purge", "take a URL, a tag or everything out, on every machine", [what, tag, all, soft],
                (call, cancellation) => PurgeAsync(call, call.Value(what), call.Value(tag), call.Value(all), call.Value(soft), cancellation)),
            VerbCall.Command(cli, "explain", "ask for a URL, and say what is stored of it and why not more", [asked],
                (call, cancellation) => ExplainAsync(call, call.Value(asked)!, cancellation)),
        ], StatsAsync);
    }

    private static async Task<CacheResult> AskAsync(VerbCall call, CacheArguments arguments, CancellationToken cancellation)
    {
        await using var agent = await call.AgentAsync(cancellation);
        return await agent.AskAsync(AgentVerbs.Cache, arguments, AgentJson.Default.CacheArguments, AgentJson.Default.CacheResult, null, cancellation)
            ?? throw AgentErrors.ConnectionLost(AgentVerbs.Cache);
    }

    private static async Task<int> StatsAsync(VerbCall call, CancellationToken cancellation)
    {
        var result = await AskAsync(call, new CacheArguments("stats"), cancellation);
        call.Print(result, CliJson.Agent.CacheResult, (screen, shown) => RenderStats(screen, shown));
        return result.Edges.All(edge => edge.Error.Length == 0) ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static async Task<int> PurgeAsync(VerbCall call, string? url, string? tag, bool all, bool soft, CancellationToken cancellation)
    {
        if ((url is null ? 0 : 1) + (tag is null ? 0 : 1) + (all ? 1 : 0) != 1)
        {
            throw CliErrors.Usage("cache purge", "it needs one of a URL, --tag TAG and --all.");
        }

        if (url is not null && !url.StartsWith('/') && !Uri.TryCreate(url, UriKind.Absolute, out _))
        {
            throw CacheErrors.BadUrl(url);
        }

        var result = await AskAsync(call, new CacheArguments("purge", url, tag, soft), cancellation);
        call.Print(result, CliJson.Agent.CacheResult, (_, shown) => RenderPurge(shown, soft));
        var failed = result.Edges.Where(edge => edge.Error.Length > 0).ToArray();
        return failed.Length == 0 ? ExitCodes.Ok
            : throw CacheErrors.NotEverywhere(string.Join("; ", failed.Select(edge => $"{Name(edge)}: {edge.Error}")));
    }

    private static async Task<int> ExplainAsync(VerbCall call, string url, CancellationToken cancellation)
    {
        StatusReport stack;
        await using (var agent = await call.AgentAsync(cancellation))
        {
            stack = await agent.StatusAsync(cancellation);
        }

        var uri = OwnNames.UrlOf("cache explain", url, stack);
        var said = await CacheStatusAsync(uri, stack, cancellation);
        var result = await AskAsync(call, new CacheArguments("explain", uri.ToString()), cancellation);
        call.Print(result, CliJson.Agent.CacheResult, (_, shown) => RenderExplanation(shown, uri.ToString(), said));
        return ExitCodes.Ok;
    }

    // Asked as a client would ask: so the answer is the edge's own.
    private static async Task<string> CacheStatusAsync(Uri uri, StatusReport stack, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            var client = await ClientSide.AskAsync(uri, HttpMethod.Get, [], TraceId.New(), OwnNames.AddressOf(uri.Host, stack), new Stopwatch(), patience.Token);
            return client.Status is { } status
                ? $"{Number(status)}; {client.CacheStatus ?? "no Cache-Status: the request did not pass this cache"}"
                : $"no answer from here ({client.Failure}): only what is stored is shown";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"no whole answer from here within {Patience.TotalSeconds:0} s: only what is stored is shown");
        }
    }

    private static string RenderStats(Screen screen, CacheResult result)
    {
        var table = new Table(new Column("EDGE"), new Column("STORED"), new Column("MEMORY"), new Column("HITS"), new Column("STALE"), new Column("REVALIDATED"), new Column("MISSES"), new Column("PASSED"), new Column("SERVED"), new Column("EVICTED"));
        foreach (var edge in result.Edges)
        {
            if (edge.Answer?.Figures is not { } f)
            {
                table.Add(Name(edge), edge.Error.Length > 0 ? edge.Error : "no cache yet", "", "", "", "", "", "", "", "");
                continue;
            }

            var hits = f.Hits + f.Collapsed + f.Stale + f.Revalidated;
            var looked = Math.Max(1, hits + f.Misses);
            table.Add(Name(edge), Number(f.Stored), $"{Units.Bytes(f.Used)} of {Units.Bytes(f.Limit)}",
                string.Create(CultureInfo.InvariantCulture, $"{f.Hits + f.Collapsed} ({100.0 * hits / looked:0.#} %)"),
                Number(f.Stale), Number(f.Revalidated), Number(f.Misses), Number(f.Passed), Units.Bytes(f.BytesServed), Number(f.Evictions));
        }

        return table.Render(screen);
    }

    private static string RenderPurge(CacheResult result, bool soft)
    {
        var lines = result.Edges.Where(edge => edge.Error.Length == 0).Select(edge => string.Create(CultureInfo.InvariantCulture,
            $"{Name(edge)}: {Purged(edge.Answer?.Purged ?? 0, soft)} ({edge.Milliseconds:0.0} ms)\n"));
        return string.Concat(lines) + string.Create(CultureInfo.InvariantCulture, $"everywhere after {result.Milliseconds:0.0} ms\n");
    }

    private static string Purged(long count, bool soft) => (count, soft) switch
    {
        (0, _) => "nothing was stored",
        (1, true) => "1 stored answer has become stale",
        (1, false) => "1 stored answer is out",
        (_, true) => $"{Number(count)} stored answers have become stale",
        _ => $"{Number(count)} stored answers are out",
    };

    private static string RenderExplanation(CacheResult result, string url, string said)
    {
        var text = new System.Text.StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{url}\n  asked now: {said}\n");
        foreach (var edge in result.Edges)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Name(edge)}: ");
            if (edge.Answer is not { } answer)
            {
                text.Append(edge.Error).Append('\n');
                continue;
            }

            text.Append(answer.Variants.IsEmpty ? answer.Passed ? "nothing is stored: its last answer was none to be stored (the detail above says why)\n" : "nothing is stored\n" : $"{Number(answer.Variants.Length)} stored\n");
            foreach (var variant in answer.Variants)
            {
                text.Append(CultureInfo.InvariantCulture, $"  {variant.Scheme} {variant.Status}, {Units.Bytes(variant.Bytes)}, age {variant.Age} s, ")
                    .Append(variant.FreshFor > 0 ? $"fresh for {Number(variant.FreshFor)} s" : "stale: is revalidated before it is used")
                    .Append(variant.Vary.IsEmpty ? "" : $", varies on {string.Join(", ", variant.Vary)}")
                    .Append(variant.Tags.IsEmpty ? "" : $", tags {string.Join(", ", variant.Tags)}")
                    .Append(variant.Validator.Length == 0 ? "" : $", {variant.Validator}").Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Name(EdgeCacheReport edge) =>
        edge.Machine.Length == 0 ? edge.Edge : edge.Edge.Length == 0 ? edge.Machine : $"{edge.Machine} {edge.Edge}";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
