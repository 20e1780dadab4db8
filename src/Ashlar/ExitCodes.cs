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

    /// <summary>The stack file is missing, has mistakes, or asks for what cannot be.</summary>
    public const int StackInvalid = 3;

    /// <summary>The stack does not run.</summary>
    public const int NotRunning = 4;

    /// <summary>An instance is not healthy, or did not become so in time.</summary>
    public const int Unhealthy = 5;

    /// <summary>Refused: it would overwrite, delete or collide with something, or is not possible here.</summary>
    public const int Refused = 6;

    /// <summary>The agent is there but does not answer, or went away in the middle.</summary>
    public const int AgentUnreachable = 7;

    /// <summary>The machine lacks something that the stack needs, as doctor finds it.</summary>
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

    /// <summary>The errors of each exit code, by room; those of a whole room stand as its prefix (<c>ASH10</c>). All others fail with <see cref="Failed"/>.</summary>
    public static IReadOnlyDictionary<int, string[]> Errors { get; } = new Dictionary<int, string[]>
    {
        [Usage] = ["ASH3107", "ASH3108", "ASH4012", "ASH4018", "ASH5006", "ASH5009", "ASH5010", "ASH6011", "ASH6012", "ASH7010", "ASH7518", "ASH7520"],
        [StackInvalid] =
        [
            "ASH10", "ASH2005", "ASH3100", "ASH4016", "ASH5008", "ASH6014", "ASH6023", "ASH6027", "ASH6028", "ASH7009", "ASH7018", "ASH7019", "ASH7103",
        ],
        [NotRunning] = ["ASH4013", "ASH4014", "ASH6013", "ASH6026", "ASH7022", "ASH7027", "ASH7204"],
        [Unhealthy] =
        [
            "ASH2011", "ASH2012", "ASH2013", "ASH2014", "ASH2017", "ASH2018", "ASH4010", "ASH4011", "ASH6019",
            "ASH7006", "ASH7008", "ASH7011", "ASH7012", "ASH7106", "ASH7108", "ASH7514",
        ],
        [Refused] =
        [
            "ASH2006", "ASH2015", "ASH3109", "ASH3110", "ASH3111", "ASH4002", "ASH4004", "ASH4015", "ASH4023", "ASH4025", "ASH4027", "ASH4051", "ASH4052", "ASH4053", "ASH4054", "ASH4055",
            "ASH4060", "ASH4062", "ASH4063", "ASH4065", "ASH5007", "ASH6017", "ASH6018", "ASH6022", "ASH6030",
            "ASH7003", "ASH7004", "ASH7005", "ASH7013", "ASH7015", "ASH7016", "ASH7017", "ASH7021", "ASH7026", "ASH7028", "ASH7037",
            "ASH7105", "ASH7117", "ASH7118", "ASH7203", "ASH7302", "ASH7504", "ASH7509", "ASH7519", "ASH7521", "ASH7522", "ASH7523", "ASH7532",
        ],
        [AgentUnreachable] = ["ASH4003", "ASH4020", "ASH4022", "ASH6029"],
        [NotReady] = ["ASH2009", "ASH6025", "ASH7001", "ASH7002", "ASH7007", "ASH7101", "ASH7102", "ASH7104"],
        [ProgramNotFound] = ["ASH2001", "ASH2002"],
    };

    /// <summary>The exit code that an error of any room ends the program with.</summary>
    public static int Of(AshlarError error) => Errors
        .FirstOrDefault(pair => pair.Value.Any(code => error.Code.StartsWith(code, StringComparison.Ordinal)), new(Failed, [])).Key;
}
