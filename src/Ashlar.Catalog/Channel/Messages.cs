using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Ashlar.Catalog.Channel;

/// <summary>First frame of a tier on the channel: who it is.</summary>
/// <param name="Instance">Id of the instance, e.g. <c>edge.1/3</c>.</param>
/// <param name="Tier">E.g. <c>edge</c>.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Version">Version of the program.</param>
/// <param name="Listeners">Names of the listening sockets it holds (not empty when it meets a new agent).</param>
/// <param name="AppliedRevision">Revision of the snapshot it works with; 0: none.</param>
public sealed record Hello(string Instance, string Tier, int Pid, string Version, ImmutableArray<string> Listeners, long AppliedRevision);

/// <summary>Something a tier has seen or done, up to the agent.</summary>
/// <param name="Kind">One of <see cref="FactKinds"/>.</param>
/// <param name="Subject">What it is about: an instance id, empty for the tier itself.</param>
/// <param name="Number">A number where the kind has one (revision, requests in flight, lag).</param>
/// <param name="Text">A text where the kind has one (the reason).</param>
public sealed record Fact(string Kind, string Subject = "", long Number = 0, string Text = "");

/// <summary>The kinds of fact.</summary>
public static class FactKinds
{
    /// <summary>The snapshot of revision <see cref="Fact.Number"/> is in force.</summary>
    public const string Applied = "applied";

    /// <summary>No request of this tier is with the draining instance <see cref="Fact.Subject"/> any more.</summary>
    public const string Idle = "idle";

    /// <summary>Instance <see cref="Fact.Subject"/> refused or broke connections (<see cref="Fact.Text"/>) and is left out for a while.</summary>
    public const string Ejected = "ejected";

    /// <summary>An HTTP request has purged this tier's cache: all others are to do as <see cref="Fact.Text"/> says (JSON, as the agent's API takes it).</summary>
    public const string Purged = "purged";

    /// <summary>No connection to machine <see cref="Fact.Subject"/> came about; it is left out for <see cref="Fact.Number"/> milliseconds.</summary>
    public const string MachineEjected = "machine-ejected";
}

/// <summary>An order to a tier; each is answered by a <see cref="CommandResult"/>.</summary>
/// <param name="Name">One of <see cref="CommandNames"/>.</param>
/// <param name="Arguments">Its arguments by name.</param>
[method: JsonConstructor]
public sealed record Command(string Name, ImmutableSortedDictionary<string, string> Arguments)
{
    /// <summary>A command without arguments.</summary>
    public Command(string name) : this(name, ImmutableSortedDictionary<string, string>.Empty) { }
}

/// <summary>The names of commands.</summary>
public static class CommandNames
{
    /// <summary>Accept nothing new on any listener, finish what is open within <c>grace</c> seconds, then exit 0. Acknowledged at once.</summary>
    public const string Drain = "drain";

    /// <summary>Send your listening sockets by a descriptor message.</summary>
    public const string GiveListeners = "give-listeners";

    /// <summary>Purge the HTTP cache or tell of it: <c>action</c>, <c>url</c>, <c>tag</c>, <c>soft</c>; answered with a <see cref="CacheAnswer"/>.</summary>
    public const string Cache = "cache";

    /// <summary>Answer once every thread that serves has had its turn: a tier that hangs cannot. One that does not know the command answers too.</summary>
    public const string Alive = "alive";
}

/// <summary>The answer to a command.</summary>
/// <param name="Ok">True if it was carried out.</param>
/// <param name="Text">The reason if not, or what there is to say.</param>
public sealed record CommandResult(bool Ok, string Text = "");
