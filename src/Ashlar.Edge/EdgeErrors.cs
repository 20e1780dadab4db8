using Ashlar.Errors;

namespace Ashlar.Edge;

/// <summary>Errors of the edge that a person can meet: ASH3010 to ASH3029 (the wire has ASH3030 and up).</summary>
internal static class EdgeErrors
{
    /// <summary>Code of <see cref="Arguments"/>.</summary>
    public const string ArgumentsCode = "ASH3012";

    /// <summary>The access log cannot be written (full disk, no folder, no permission); requests go on without it.</summary>
    public static AshlarError AccessLogNotWritable(string path, string reason) => new(
        "ASH3010", "edge", $"The access log {path} cannot be written: {reason}. Requests are served, their lines are dropped and counted.",
        "Free space or give the edge's user write permission on the folder; logging resumes by itself.");

    /// <summary>The metrics file cannot be made; the edge serves without metrics.</summary>
    public static AshlarError MetricsNotWritable(string path, string reason) => new(
        "ASH3011", "edge", $"The metrics file {path} cannot be made: {reason}. Requests are served, but not counted for others to see.",
        "Free space or give the edge's user write permission on the folder, then run: ashlar restart edge.");

    /// <summary>The edge was started with arguments that it does not understand; only the agent starts it.</summary>
    public static AshlarException Arguments(string reason) => new(new AshlarError(
        ArgumentsCode, "edge", $"The edge cannot start: {reason}.",
        "The agent starts the edge; use ashlar up. If the agent did, its program and this one are of different builds: run ashlar up again."));

    /// <summary>A listening socket that the agent handed down cannot be watched.</summary>
    public static AshlarError CannotListen(string listener, string reason) => new(
        "ASH3013", "edge", $"The edge cannot accept connections on the listener {listener}: {reason}.",
        "Run: ashlar restart edge. If it stays, run ashlar doctor.");

    /// <summary>The last snapshot cannot be stored; an edge that starts while no agent runs would begin with an older one.</summary>
    public static AshlarError SnapshotNotWritable(string path, string reason) => new(
        "ASH3014", "edge", $"The snapshot of the catalog cannot be stored in {path}: {reason}. Requests are served by the one in memory.",
        "Free space or give the edge's user write permission on the folder.");

    /// <summary>Another machine of the stack cannot be connected to; its instances are left out for a while.</summary>
    public static AshlarError MachineLeftOut(string machine, string endPoint, double seconds) => new(
        "ASH3016", "edge", $"Machine {machine} cannot be connected to on {endPoint}; nothing is sent to its instances for {seconds} s.",
        "See whether the machine runs and its edge with it (ashlar machines list), and whether the network lets this port through.");

    /// <summary>TLS to another machine of the stack failed: somebody else answers there, or one of the two certificates is not accepted.</summary>
    public static AshlarError MachineNotSecured(string machine, string reason) => new(
        "ASH3017", "edge", $"The edge of machine {machine} is not accepted: {reason}.",
        "See that the machine's address is its own, that its clock is right, and that its certificate is this stack's: ashlar machines list.");

    /// <summary>The listener for other machines, or the way to them, needs an identity, and there is none.</summary>
    public static AshlarError NoIdentity(string what) => new(
        "ASH3018", "edge", $"{what} needs the machine's identity, and the edge was given none that it can use.",
        "Right after the stack's first 'ashlar machines add' or 'machines token' nothing needs to be done: this edge is being replaced by one that has it. Else run: ashlar restart edge; if it stays, join the machine again: ashlar machines token, then ashlar join.");

    /// <summary>The edge is at its limit of open files, or the system at its own: new connections wait.</summary>
    public static AshlarError CannotAccept(string listener, string reason, int connections) => new(
        "ASH3015", "edge", $"The edge has {connections} connections and cannot accept more on the listener {listener}: {reason}. New ones wait until others have ended.",
        "Raise the limit of open files of the user or unit that runs ashlar (ulimit -n, LimitNOFILE), then run: ashlar restart edge.");

    /// <summary>Code of <see cref="CgiArguments"/>.</summary>
    public const string CgiArgumentsCode = "ASH3076";

    /// <summary>The host of scripts was started with arguments that it does not understand; only the agent starts it.</summary>
    public static AshlarException CgiArguments(string reason) => new(new AshlarError(
        CgiArgumentsCode, "services", $"The host of the scripts cannot start: {reason}.",
        "The agent starts it for services with interface: cgi; use ashlar up. If the agent did, its program and this one are of different builds: run ashlar up again."));

    /// <summary>The folder with a service's scripts is not there.</summary>
    public static AshlarException NoScripts(string folder) => new(new AshlarError(
        "ASH3077", "services", $"The folder with the service's scripts, {folder}, is not there.",
        "Correct the service's 'root:', which is relative to its directory, or make the folder; a build command may make it too."));

    /// <summary>The host of scripts cannot listen where the agent has told it to.</summary>
    public static AshlarException CgiCannotListen(string endPoint, string reason) => new(new AshlarError(
        "ASH3078", "services", $"The host of the scripts cannot listen on {endPoint}: {reason}.",
        "Another program has taken the port meanwhile; the agent tries another one by itself. If it stays, run ashlar doctor."));
}
