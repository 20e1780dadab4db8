using System.Text.Json;
using Ashlar.Errors;

namespace Ashlar.Catalog;

/// <summary>A question or order to the agent: one JSON frame on its Unix socket.</summary>
/// <param name="Verb">One of the agent's: <c>status</c>, <c>watch</c>, <c>up</c>, …</param>
/// <param name="Arguments">The verb's own record, as JSON.</param>
/// <param name="Id">What an order is known by, where it is given on another machine than it is carried out on; null: it needs no name.</param>
/// <param name="Relayed">True: it came over a third machine, which does not reach the one that leads; it is not sent round again.</param>
public sealed record AgentRequest(string Verb, JsonElement Arguments, string? Id = null, bool Relayed = false);

/// <summary>One frame of the agent's answer. Any number of <c>progress</c> and <c>data</c>, then one <c>done</c> or <c>error</c>.</summary>
/// <param name="Kind"><c>progress</c>, <c>data</c>, <c>done</c> or <c>error</c>.</param>
/// <param name="Text">A line for people (progress), else empty.</param>
/// <param name="Data">The verb's result record, where it has one.</param>
/// <param name="Error">Only with <c>error</c>.</param>
public sealed record AgentReply(string Kind, string Text = "", JsonElement? Data = null, AshlarError? Error = null);

/// <summary>Kinds of <see cref="AgentReply"/>.</summary>
public static class AgentReplyKinds
{
    /// <summary>A line for people.</summary>
    public const string Progress = "progress";

    /// <summary>A result record.</summary>
    public const string Data = "data";

    /// <summary>The order is carried out; nothing follows.</summary>
    public const string Done = "done";

    /// <summary>The order failed; nothing follows.</summary>
    public const string Error = "error";
}
