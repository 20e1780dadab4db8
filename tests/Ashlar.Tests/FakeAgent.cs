using System.Runtime.CompilerServices;
using System.Text.Json;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar;

/// <summary>An agent that answers what a test tells it to, and remembers what it was asked.</summary>
internal sealed class FakeAgent : IAgents
{
    private readonly Dictionary<string, Func<JsonElement, IEnumerable<AgentReply>>> _answers = new(StringComparer.Ordinal);

    /// <summary>False: no agent runs until it is started.</summary>
    public bool Running { get; set; } = true;

    /// <summary>Verb and arguments of every request, in order.</summary>
    public List<(string Verb, string Arguments)> Asked { get; } = [];

    public FakeAgent Answers(string verb, params AgentReply[] replies) => Answers(verb, _ => replies);

    public FakeAgent Answers(string verb, Func<JsonElement, IEnumerable<AgentReply>> answer)
    {
        _answers[verb] = answer;
        return this;
    }

    public FakeAgent Reports(StatusReport report) =>
        Answers(AgentVerbs.Status, Done(report)).Answers(AgentVerbs.Watch, new AgentReply("data", Data: Json(report)));

    public static AgentReply Done(StatusReport report) => new("done", Data: Json(report));

    public static AgentReply Done<T>(T result, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        new("done", Data: JsonSerializer.SerializeToElement(result, type));

    public static AgentReply Progress(string text) => new("progress", text);

    public static AgentReply Fails(string code, string message, string next) => new("error", Error: new AshlarError(code, "agent", message, next));

    public Task<IAgentSession?> FindAsync(string stackFolder, CancellationToken cancellation) =>
        Task.FromResult<IAgentSession?>(Running ? new Session(this) : null);

    public Task<IAgentSession> EnsureRunningAsync(string stackFolder, Action<string> progress, CancellationToken cancellation)
    {
        Running = true;
        return Task.FromResult<IAgentSession>(new Session(this));
    }

    private static JsonElement Json(StatusReport report) => JsonSerializer.SerializeToElement(report, AgentJson.Default.StatusReport);

    private sealed class Session(FakeAgent agent) : IAgentSession
    {
        public async IAsyncEnumerable<AgentReply> SendAsync(
            string verb, JsonElement arguments, [EnumeratorCancellation] CancellationToken cancellation)
        {
            agent.Asked.Add((verb, JsonSerializer.Serialize(arguments, CompactJson.Default.JsonElement)));
            await Task.Yield();
            if (verb == AgentVerbs.Down) agent.Running = false;
            foreach (var reply in agent._answers.TryGetValue(verb, out var answer) ? answer(arguments) : [new AgentReply("done")]) yield return reply;
            if (verb == AgentVerbs.Watch) await Task.Delay(Timeout.Infinite, cancellation);
        }

        public Task EndedAsync(CancellationToken cancellation) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement))]
internal sealed partial class CompactJson : System.Text.Json.Serialization.JsonSerializerContext;
