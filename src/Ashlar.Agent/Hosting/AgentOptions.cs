namespace Ashlar.Agent.Hosting;

/// <summary>What an agent needs to know when it starts.</summary>
public sealed record AgentOptions
{
    /// <summary>Real path of the folder that holds the stack file.</summary>
    public required string StackFolder { get; init; }

    /// <summary>Where the stack's state lies. Default: <c>.ashlar</c> in <see cref="StackFolder"/>.</summary>
    public StateFolder State => StateFolder.Of(StackFolder);

    /// <summary>Absolute path of the <c>ashlar</c> program, which serves the other tiers.</summary>
    public required string Program { get; init; }

    /// <summary>Where the agent's log goes.</summary>
    public TextWriter Log { get; init; } = Console.Error;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
