using System.Globalization;

namespace Ashlar.Processes;

/// <summary>How a process ended.</summary>
public sealed record ExitReport
{
    /// <summary>Its exit code, 0 to 255; null if a signal ended it or it is unknown.</summary>
    public int? Code { get; init; }

    /// <summary>The signal that ended it; null if none did or it is unknown.</summary>
    public int? Signal { get; init; }

    /// <summary>True: nobody can know, because it was not our child and the kernel does not say.</summary>
    public bool Unknown => Code is null && Signal is null;

    /// <summary>True: the kernel killed something of its group because the group was over its memory limit.</summary>
    public bool OutOfMemory { get; init; }

    /// <summary>The memory limit it had, in bytes; null: none.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Processes that it left behind and that had to be killed.</summary>
    public int LeftBehind { get; init; }

    /// <summary>True: it ended by itself and well.</summary>
    public bool Success => Code == 0 && !OutOfMemory;

    /// <summary>The code as a shell gives it: 128 + n for death by signal n; null: unknown.</summary>
    public int? ShellCode => Code ?? 128 + Signal;

    /// <summary>From the status of <c>wait(2)</c>.</summary>
    internal static ExitReport FromWaitStatus(int status) =>
        (status & 0x7f) == 0 ? new ExitReport { Code = (status >> 8) & 0xff } : new ExitReport { Signal = status & 0x7f };

    /// <summary>For people: <c>exit 1</c>, <c>killed by SIGKILL</c>, <c>out of memory (limit 512 MiB)</c>.</summary>
    public override string ToString() => this switch
    {
        { OutOfMemory: true, MemoryLimit: { } limit } =>
            string.Create(CultureInfo.InvariantCulture, $"out of memory (limit {limit / 1048576.0:0.#} MiB)"),
        { OutOfMemory: true } => "out of memory",
        { Signal: { } signal } => $"killed by {SignalNames.Of(signal)}",
        { Code: { } code } => $"exit {code}",
        _ => "exit code unknown",
    };
}

/// <summary>How a stop went.</summary>
/// <param name="Exit">How the leader ended.</param>
/// <param name="Killed">True: SIGTERM was not enough within the grace and SIGKILL fired.</param>
/// <param name="Strays">Processes other than the leader that had to be killed.</param>
/// <param name="Took">Time from the first signal to the end of the last process.</param>
public sealed record StopReport(ExitReport Exit, bool Killed, int Strays, TimeSpan Took)
{
    /// <summary>For people: <c>stopped by SIGTERM in 0.2 s (exit 0)</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"stopped by {(Killed ? "SIGKILL" : "SIGTERM")} in {Took.TotalSeconds:0.0} s ({Exit}{(Strays == 0 ? "" : $", {Strays} left behind and killed")})");
}

/// <summary>Names of signals.</summary>
internal static class SignalNames
{
    private static readonly string[] Names =
    [
        "", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
        "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU",
        "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    public static string Of(int signal) => signal > 0 && signal < Names.Length ? Names[signal] : $"signal {signal}";
}

/// <summary>The signals a supervisor sends, by Linux number.</summary>
public static class Signals
{
    /// <summary>Reload.</summary>
    public const int Hangup = 1;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupt = 2;

    /// <summary>Graceful quit for some servers.</summary>
    public const int Quit = 3;

    /// <summary>End at once; cannot be caught.</summary>
    public const int Kill = 9;

    /// <summary>Program's own.</summary>
    public const int User1 = 10;

    /// <summary>Program's own.</summary>
    public const int User2 = 12;

    /// <summary>End in order.</summary>
    public const int Terminate = 15;

    /// <summary>Go on after a stop.</summary>
    public const int Continue = 18;

    /// <summary>Stand still; cannot be caught.</summary>
    public const int Stop = 19;
}
