using Ashlar.Errors;

namespace Ashlar;

/// <summary>What the program's exit code says; <c>docs/cli.md</c> lists the same.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>It failed, and none of the codes below says why better.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong: unknown verb, option or value.</summary>
    public const int Usage = 2;

    /// <summary>The stack file is missing or has mistakes.</summary>
    public const int StackInvalid = 3;

    /// <summary>The stack does not run.</summary>
    public const int NotRunning = 4;

    /// <summary>An instance is not healthy, or did not become so in time.</summary>
    public const int Unhealthy = 5;

    /// <summary>Refused: it would overwrite, delete or collide with something, or is not possible here.</summary>
    public const int Refused = 6;

    /// <summary>The agent is there but does not answer, or went away in the middle.</summary>
    public const int AgentUnreachable = 7;

    /// <summary>Doctor has found something that stands in the way.</summary>
    public const int NotReady = 8;

    /// <summary>The program that was to be executed is not there.</summary>
    public const int ProgramNotFound = 127;

    /// <summary>Ended by Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by SIGTERM.</summary>
    public const int Terminated = 143;

    /// <summary>Whoever read the output has gone (<c>ashlar logs -f | head</c>).</summary>
    public const int BrokenPipe = 141;

    /// <summary>All of them with their names, for the documentation and its test.</summary>
    public static IReadOnlyList<(int Code, string Name)> All { get; } =
    [
        (Ok, "ok"), (Failed, "failed"), (Usage, "usage"), (StackInvalid, "stack-invalid"), (NotRunning, "not-running"),
        (Unhealthy, "unhealthy"), (Refused, "refused"), (AgentUnreachable, "agent-unreachable"),
        (NotReady, "not-ready"), (ProgramNotFound, "program-not-found"), (Interrupted, "interrupted"), (BrokenPipe, "broken-pipe"), (Terminated, "terminated"),
    ];

    /// <summary>The exit code that an error of any room ends the program with.</summary>
    public static int Of(AshlarError error) => error.Code switch
    {
        "ASH6011" or "ASH6012" or "ASH4012" or "ASH5006" or "ASH5009" or "ASH5010" => Usage,
        "ASH6014" or "ASH6023" or "ASH6027" or "ASH6028" => StackInvalid,
        "ASH7022" or "ASH7027" or "ASH6013" or "ASH6026" or "ASH4014" => NotRunning,
        "ASH6019" or "ASH4010" or "ASH4011" or "ASH2011" or "ASH2012" or "ASH2014" or "ASH2017" or "ASH2018" => Unhealthy,
        "ASH6017" or "ASH6018" or "ASH6022" or "ASH6030" or "ASH4002" or "ASH4004" or "ASH4015" or "ASH4023" or "ASH4025" or "ASH4051" or "ASH5007" or "ASH7302" or "ASH7021" or "ASH7026" => Refused,
        "ASH4003" or "ASH4020" or "ASH4022" or "ASH6029" => AgentUnreachable,
        "ASH6025" or "ASH7001" or "ASH7002" => NotReady,
        "ASH2001" or "ASH2002" => ProgramNotFound,
        _ when error.Code.StartsWith("ASH10", StringComparison.Ordinal) => StackInvalid,
        _ => Failed,
    };
}
