using Ashlar.Errors;

namespace Ashlar.Dashboard;

/// <summary>Errors of the dashboard that a person can meet: ASH7200 to ASH7299.</summary>
public static class DashboardErrors
{
    /// <summary>Code of <see cref="Arguments"/>.</summary>
    internal const string ArgumentsCode = "ASH7201";

    /// <summary>The dashboard was started with arguments or an environment that it does not understand; only the agent starts it.</summary>
    internal static AshlarException Arguments(string reason) => new(new AshlarError(
        ArgumentsCode, "dashboard", $"The dashboard cannot start: {reason}.",
        "The agent starts the dashboard; use ashlar up. If the agent did, its program and this one are of different builds: run ashlar up again."));

    /// <summary>The port that the agent gave it is taken.</summary>
    internal static AshlarException CannotListen(int port, string reason) => new(new AshlarError(
        "ASH7202", "dashboard", $"The dashboard cannot listen on 127.0.0.1:{port}: {reason}.",
        "Nothing: the agent starts it again on another port. If it stays, run ashlar doctor."));

    /// <summary>The stack has no dashboard.</summary>
    public static AshlarException IsOff(string stack) => new(new AshlarError(
        "ASH7203", "dashboard", $"The stack {stack} runs without a dashboard: its file says dashboard: off.",
        "Remove that line from ashlar.yaml, then run ashlar up."));

    /// <summary>The dashboard is wanted but has no address yet.</summary>
    public static AshlarException NotUp(string stack) => new(new AshlarError(
        "ASH7204", "dashboard", $"The dashboard of {stack} has no address yet.",
        "Run ashlar up, then this again. ashlar logs dashboard tells why it does not start, if it does not."));

    /// <summary>The series of the stack cannot be kept on disk; the page shows what is live only.</summary>
    internal static AshlarError SeriesNotKept(string folder, string reason) => new(
        "ASH7205", "dashboard", $"The series in {folder} cannot be kept: {reason}. The page shows only what is measured from now on.",
        "Free space or give the dashboard's user write permission on the folder, then run: ashlar restart dashboard.");
}
