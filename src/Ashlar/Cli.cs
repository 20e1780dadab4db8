using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar;

/// <summary>The world as the verbs see it.</summary>
internal sealed record Cli
{
    /// <summary>Standard output: results.</summary>
    public required Screen Out { get; init; }

    /// <summary>Standard error: progress and errors.</summary>
    public required Screen Error { get; init; }

    /// <summary>Opens standard input.</summary>
    public required Func<TextReader> In { get; init; }

    /// <summary>True: a person can be asked.</summary>
    public bool Interactive { get; init; }

    /// <summary>The agents of this machine's stacks.</summary>
    public required IAgents Agents { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Absolute folder that relative paths start from.</summary>
    public required string Folder { get; init; }

    /// <summary>The environment.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;
}
