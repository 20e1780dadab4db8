using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Ashlar.Agent.Api;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Edge;
using Ashlar.Errors;

namespace Ashlar.Agent.Operations;

/// <summary>
/// Has the cache of every edge do something, on every machine, and waits until each has: a purge that was answered holds everywhere,
/// or says where it does not.
/// </summary>
internal sealed class CacheOrders(AgentLoop loop, Supervisor supervisor, TierLinks links, FleetLink? fleet)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Carries out one order.</summary>
    /// <exception cref="AshlarException">ASH3080: the stack has no cache.</exception>
    public async Task<CacheResult> RunAsync(CacheArguments arguments, CancellationToken cancellation)
    {
        var (stack, edges) = await loop.AskAsync(() => (supervisor.View.Target.Stack,
            supervisor.View.Observed.Where(o => o is { Tier: EdgePlan.Tier, Alive: true }).Select(o => o.Id).ToArray()));
        if (!arguments.Here && stack.Edge.Cache is null)
        {
            throw CacheErrors.NoCache();
        }

        var began = Stopwatch.GetTimestamp();
        var here = fleet?.Own.Name ?? "";
        var asked = edges.Select(edge => AskAsync(here, edge, CommandOf(arguments), cancellation));
        if (fleet is not null && !arguments.Here)
        {
            asked = asked.Concat(fleet.View.Records.Values.Where(record => record.Name != here).Select(record => ForwardAsync(record, arguments with { Here = true }, cancellation)));
        }

        var reports = await Task.WhenAll(asked);
        return new CacheResult([.. reports.SelectMany(report => report)], Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    /// <summary>An edge was told to purge by an HTTP request: tells all others.</summary>
    public async Task SpreadAsync(string edge, Fact fact)
    {
        var arguments = JsonSerializer.Deserialize(fact.Text, AgentJson.Default.CacheArguments);
        if (arguments is not null)
        {
            _ = edge;
            await RunAsync(arguments, CancellationToken.None);
        }
    }

    private async Task<EdgeCacheReport[]> AskAsync(string machine, string edge, Command command, CancellationToken cancellation)
    {
        var began = Stopwatch.GetTimestamp();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        string error;
        try
        {
            var answered = await await loop.AskAsync(() => links.AskAsync(edge, command, patience.Token));
            if (answered is { Ok: true })
            {
                var answer = JsonSerializer.Deserialize(answered.Text, CacheAnswerJson.Default.CacheAnswer);
                return [new EdgeCacheReport(machine, edge, "", Stopwatch.GetElapsedTime(began).TotalMilliseconds, answer)];
            }

            error = answered?.Text ?? "it is not connected to its agent";
        }
        catch (IOException e)
        {
            error = e.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            error = $"it has not answered within {Patience.TotalSeconds:0} s";
        }

        return [new EdgeCacheReport(machine, edge, error, Stopwatch.GetElapsedTime(began).TotalMilliseconds, null)];
    }

    private async Task<EdgeCacheReport[]> ForwardAsync(MachineRecord machine, CacheArguments arguments, CancellationToken cancellation)
    {
        var began = Stopwatch.GetTimestamp();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            CacheResult? result = null;
            var request = new AgentRequest(AgentVerbs.Cache, JsonSerializer.SerializeToElement(arguments, AgentJson.Default.CacheArguments));
            await PeerClient.ForwardAsync(fleet!.Identity, machine, request, reply => result = reply.Data?.Deserialize(AgentJson.Default.CacheResult) ?? result, patience.Token);
            if (result is not null)
            {
                return [.. result.Edges.Select(edge => edge with { Milliseconds = Math.Max(edge.Milliseconds, Stopwatch.GetElapsedTime(began).TotalMilliseconds) })];
            }

            return [Failed("its agent gave no answer")];
        }
        catch (AshlarException e)
        {
            return [Failed(e.Error.Message)];
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return [Failed($"it has not answered within {Patience.TotalSeconds:0} s")];
        }

        EdgeCacheReport Failed(string error) => new(machine.Name, "", error, Stopwatch.GetElapsedTime(began).TotalMilliseconds, null);
    }

    private static Command CommandOf(CacheArguments arguments)
    {
        var given = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        given["action"] = arguments.Action;
        if (arguments.Url is { } url)
        {
            given["url"] = url;
        }

        if (arguments.Tag is { } tag)
        {
            given["tag"] = tag;
        }

        if (arguments.Soft)
        {
            given["soft"] = "true";
        }

        return new Command(CommandNames.Cache, given.ToImmutable());
    }
}
