using Ashlar.Errors;

namespace Ashlar;

/// <summary>Errors of the command line, ASH6011 to ASH6099 (ASH6001 is the launcher's).</summary>
internal static class CliErrors
{
    /// <summary>ASH6011: the first word is no verb.</summary>
    public static AshlarException UnknownVerb(string verb, string? instead, string? nearest) => Error("ASH6011",
        $"there is no verb '{verb}'.",
        instead is not null ? $"here it is: {instead}" : nearest is null ? "ashlar --help lists the verbs." : $"did you mean: ashlar {nearest}");

    /// <summary>ASH6012: the verb is known, what follows it is not.</summary>
    public static AshlarException Usage(string verb, string mistake) => Error("ASH6012", mistake, $"ashlar help {verb}");

    /// <summary>ASH6013: the verb needs a running stack.</summary>
    public static AshlarException NotRunning(string folder) => Error("ASH6013",
        $"the stack in {folder} does not run.", "ashlar up starts it.");

    /// <summary>ASH6032: a step of adding a machine failed.</summary>
    public static AshlarException AddFailed(string host, string step, string words, string next) => Error("ASH6032",
        $"{host} is not added: {step} failed: {words.TrimEnd('.', '\n')}.", next);

    /// <summary>ASH6014: no stack file here or above.</summary>
    public static AshlarException NoStack(string folder) => Error("ASH6014",
        $"there is no ashlar.yaml and no Procfile in {folder}.",
        "ashlar init writes one; -a PATH names the stack of another folder.");

    /// <summary>ASH6017: init would overwrite.</summary>
    public static AshlarException FileExists(string path) => Error("ASH6017",
        $"{path} exists.", "--force overwrites it.");

    /// <summary>ASH6018: destroy needs to be told twice.</summary>
    public static AshlarException NotConfirmed(string folder) => Error("ASH6018",
        $"this would stop the stack and delete {folder} with all its data, backups, logs and releases.", "ashlar destroy --yes does it.");

    /// <summary>ASH6019: the stack did not get healthy in the time given.</summary>
    public static AshlarException WaitTimedOut(string timeout, string waitingFor) => Error("ASH6019",
        $"not healthy after {timeout}: {waitingFor}.", "ashlar status says why; ashlar logs shows what they print.");

    /// <summary>ASH6022: not permitted to this user, or not possible on this machine.</summary>
    public static AshlarException NotPossible(string what, string next) => Error("ASH6022", what, next);

    /// <summary>ASH6023: nothing in the folder is known to run.</summary>
    public static AshlarException NothingDetected(string folder) => Error("ASH6023",
        $"nothing in {folder} looks like an app: no Procfile, and no Python, C#, Node or PHP project.",
        "write a Procfile with one line, web: COMMAND, and repeat.");

    /// <summary>ASH6024: a config var that is asked for is not set.</summary>
    public static AshlarException VariableNotSet(string name) => Error("ASH6024",
        $"{name} is not set.", "ashlar config lists the config vars.");

    /// <summary>ASH6025: doctor has found something that stands in the way.</summary>
    public static AshlarException NotReady(int problems) => Error("ASH6025",
        problems == 1 ? "1 check failed." : $"{problems} checks failed.", "do what stands beside each; ashlar doctor --fix does what it can.");

    /// <summary>ASH6026: nothing has written a log yet.</summary>
    public static AshlarException NoLogs(string target) => Error("ASH6026",
        $"there is no log of '{target}': nothing of this stack has run yet.", "ashlar up starts it.");

    /// <summary>ASH6027: the path of the stack does not exist.</summary>
    public static AshlarException NoSuchPath(string path) => Error("ASH6027",
        $"there is no folder or file {path}.", "give the folder of the stack, or its file.");

    /// <summary>ASH6028: the stack file has mistakes, which have been shown.</summary>
    public static AshlarException StackInvalid(int mistakes) => Error("ASH6028",
        $"{mistakes} {(mistakes == 1 ? "mistake keeps" : "mistakes keep")} the stack from loading.", "correct the file and repeat the command.");

    /// <summary>ASH6029: the verb needs the agent, which was killed; what it had started goes on.</summary>
    public static AshlarException AgentEnded(string folder, int processes) => Error("ASH6029",
        $"the agent of the stack in {folder} has ended; {processes} of its processes {(processes == 1 ? "goes" : "go")} on serving.",
        "ashlar up takes them over.");

    /// <summary>ASH6030: what runs must be ended first, and no agent starts that could.</summary>
    public static AshlarException LeftRunning(string folder, IEnumerable<int> pids, AshlarException cause) => Error("ASH6030",
        $"processes of the stack in {folder} go on without their agent (pids {string.Join(", ", pids)}), and no new one starts to end them: {cause.Error.Message}",
        cause.Error.NextStep, cause);

    /// <summary>ASH6031: a log was deleted while it was written.</summary>
    public static AshlarError LogDeleted(string instance, int pid) => Error("ASH6031",
        $"the log of {instance} has been deleted while pid {pid} writes to it: what it writes is lost.",
        $"ashlar restart {instance} begins a new one: a process keeps the file that it was started with.").Error;

    /// <summary>ASH6099: a mistake of ours.</summary>
    public static AshlarError Unexpected(Exception exception) => new("ASH6099", "cli",
        $"{exception.GetType().Name}: {exception.Message}", "this is a defect of Ashlar; ASHLAR_TRACE=1 shows where it arose.");

    private static AshlarException Error(string code, string message, string next, Exception? inner = null) =>
        new(new AshlarError(code, "cli", message, next), inner);
}
