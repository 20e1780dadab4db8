using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Output;

namespace Ashlar.Agents;

/// <summary>The agent's verbs as calls: arguments and results as records, progress to whoever shows it.</summary>
internal static class AgentCalls
{
    /// <summary>Asks for the state of the stack.</summary>
    public static async Task<StatusReport> StatusAsync(this IAgentSession session, CancellationToken cancellation) =>
        await session.AskAsync(AgentVerbs.Status, AgentJson.Default.StatusReport, null, cancellation)
            ?? throw AgentErrors.ConnectionLost(AgentVerbs.Status);

    extension(StatusReport report)
    {
        /// <summary>True: at least one instance has a process.</summary>
        public bool SomethingRuns => report.Tiers.SelectMany(tier => tier.Services).SelectMany(service => service.Instances)
            .Any(instance => !instance.Pids.IsEmpty);
    }

    /// <summary>The state of the stack at once and at every change.</summary>
    public static async IAsyncEnumerable<StatusReport> WatchAsync(
        this IAgentSession session, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var reply in session.SendAsync(AgentVerbs.Watch, Nothing, cancellation).WithCancellation(cancellation))
        {
            if (reply.Error is { } error) throw new AshlarException(error);
            if (reply.Data?.Deserialize(AgentJson.Default.StatusReport) is { } report) yield return report;
        }
    }

    /// <summary>Takes the stack down and waits until its agent has ended too.</summary>
    public static async Task DownAsync(this IAgentSession session, bool now, Action<string>? progress, CancellationToken cancellation)
    {
        await session.AskAsync(AgentVerbs.Down, new DownArguments(now), AgentJson.Default.DownArguments, CliJson.Default.DoneReport, progress, cancellation);
        await session.EndedAsync(cancellation);
    }

    /// <summary>Sends a verb without arguments.</summary>
    public static Task<TResult?> AskAsync<TResult>(
        this IAgentSession session, string verb, JsonTypeInfo<TResult> result, Action<string>? progress, CancellationToken cancellation)
        where TResult : class =>
        session.AskAsync(verb, Nothing, result, progress, cancellation);

    /// <summary>Sends a verb with its arguments; the result is the last data of the answer, null if it has none.</summary>
    /// <exception cref="AshlarException">The agent answers with an error, or goes away.</exception>
    public static Task<TResult?> AskAsync<TArguments, TResult>(
        this IAgentSession session, string verb, TArguments arguments, JsonTypeInfo<TArguments> type,
        JsonTypeInfo<TResult> result, Action<string>? progress, CancellationToken cancellation)
        where TResult : class =>
        session.AskAsync(verb, JsonSerializer.SerializeToElement(arguments, type), result, progress, cancellation);

    private static JsonElement Nothing { get; } = JsonElement.Parse("{}");

    private static async Task<TResult?> AskAsync<TResult>(
        this IAgentSession session, string verb, JsonElement arguments, JsonTypeInfo<TResult> result,
        Action<string>? progress, CancellationToken cancellation)
        where TResult : class
    {
        JsonElement? data = null;
        await foreach (var reply in session.SendAsync(verb, arguments, cancellation).WithCancellation(cancellation))
        {
            data = reply.Data ?? data;
            switch (reply.Kind)
            {
                case "error":
                    throw new AshlarException(reply.Error ?? AgentErrors.ConnectionLost(verb).Error);
                case "done":
                    return data?.ValueKind is null or JsonValueKind.Null ? null : data.Value.Deserialize(result);
                case "progress":
                    progress?.Invoke(reply.Text);
                    break;
                default:
                    break;
            }
        }

        throw AgentErrors.ConnectionLost(verb);
    }
}
