using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines.Rolling;

/// <summary>
/// An order that is being carried out over the machines, as the shared store keeps it: whoever leads goes on from here. What the orders said
/// before stands beside it until it has ended.
/// </summary>
internal sealed record Roll
{
    /// <summary>What the order is known by, on the machine where it was given too.</summary>
    public required string Id { get; init; }

    /// <summary>The order.</summary>
    public required string Verb { get; init; }

    /// <summary>What is to be.</summary>
    public required DesiredState Next { get; init; }

    /// <summary>Machines in the order in which they are let on; one that joins meanwhile comes last.</summary>
    public ImmutableArray<string> Order { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Machines that pursue what is to be.</summary>
    public ImmutableSortedSet<string> LetOn { get; init => field = value ?? []; } = [];

    /// <summary>True: nothing that runs is replaced, so all machines are let on together.</summary>
    public bool AtOnce { get; init; }

    /// <summary>True: the data tiers are brought up on all machines first, and what they lose goes last.</summary>
    public bool Raises { get; init; }

    /// <summary>True: the data tiers come up for the release command, and nobody is let on before that has run.</summary>
    public bool Waits { get; init; }

    /// <summary>True: it has failed, and all machines go back.</summary>
    public bool GoesBack { get; init; }

    /// <summary>Why, then.</summary>
    public AshlarError? Error { get; init; }

    /// <summary>What had failed before (<c>m2/web.1/17</c>): it does not keep the order from being carried out.</summary>
    public ImmutableSortedSet<string> FailedBefore { get; init => field = value ?? []; } = [];

    /// <summary>Machine that led when it was ordered.</summary>
    public string By { get; init; } = "";

    /// <summary>When it was ordered.</summary>
    public DateTimeOffset Began { get; init; }

    /// <summary>What a machine pursues.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="holds">What the orders said before.</param>
    public DesiredState For(string machine, DesiredState holds) => !GoesBack && LetOn.Contains(machine) ? Next : holds;
}

/// <summary>An order that has been carried out, or not.</summary>
/// <param name="Id">What it is known by.</param>
/// <param name="Verb">The order.</param>
/// <param name="Release">The release that was to run.</param>
/// <param name="Ended">When.</param>
/// <param name="Error">Why it failed; null: it was carried out.</param>
internal sealed record EndedRoll(string Id, string Verb, string Release, DateTimeOffset Ended, AshlarError? Error);

/// <summary>The order that is being carried out over the machines, and the last ones that were.</summary>
/// <param name="Present">The present one; null: none.</param>
internal sealed record RollBook(Roll? Present)
{
    private const int Most = 16;

    /// <summary>The last ones, the newest last: who waits for one finds its end here.</summary>
    public ImmutableArray<EndedRoll> Ended { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The book when the present one has ended.</summary>
    public RollBook End(DateTimeOffset now, AshlarError? error) => Present is not { } roll ? this : new RollBook(Present: null)
    {
        Ended = [.. Ended.TakeLast(Most - 1), new EndedRoll(roll.Id, roll.Verb, roll.Next.Release, now, error)],
    };
}
