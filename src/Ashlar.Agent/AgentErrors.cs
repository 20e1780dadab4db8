using Ashlar.Errors;
using Ashlar.Stack;

namespace Ashlar.Agent;

/// <summary>The errors of the agent. Codes ASH4001 to ASH4049.</summary>
public static class AgentErrors
{
    private const string Tier = "agent";

    /// <summary>ASH4002: another agent has this stack.</summary>
    public static AshlarException AlreadyRunning(string folder, int pid) => New(
        "ASH4002",
        pid > 0 ? $"An agent already runs for the stack in {folder}: pid {pid}." : $"An agent already runs for the stack in {folder}.",
        "Talk to that one (ashlar ps), or end it first with ashlar down.");

    /// <summary>ASH4003: the agent was started but does not answer.</summary>
    public static AshlarException DidNotStart(string logPath, IReadOnlyList<string> lastLines) => New(
        "ASH4003",
        "The agent was started but does not answer." + (lastLines.Count == 0 ? "" : $" Its last words: {string.Join(" / ", lastLines)}"),
        $"Read {logPath}.");

    /// <summary>ASH4004: the state folder cannot be used.</summary>
    public static AshlarException StateFolderUnusable(string folder, string reason) => New(
        "ASH4004", $"The state folder {folder} cannot be used: {reason}.", "Check its owner, its mode and the free space of its disk.");

    /// <summary>ASH4005: the store cannot be written.</summary>
    public static AshlarException StoreUnwritable(string path, string reason, Exception? inner = null) => New(
        "ASH4005",
        $"The agent's store {path} cannot be written: {reason}. What runs goes on running.",
        "Free space on its disk or restore its mode, then repeat the command.",
        inner);

    /// <summary>ASH4006: the request is not one that this agent knows.</summary>
    public static AshlarException BadRequest(string verb, string reason) => New(
        "ASH4006", $"The agent does not understand the request '{verb}': {reason}.",
        "The program and the agent may be of different versions: run ashlar up, which replaces the agent.");

    /// <summary>ASH4007: the agent met a fault of its own.</summary>
    public static AshlarException Fault(string what, Exception inner) => New(
        "ASH4007", $"The agent failed at {what}: {inner.GetType().Name}: {inner.Message}", "Read .ashlar/logs/agent.log, and report it.", inner);

    /// <summary>ASH4010: the shell did not find or may not run the command of an instance.</summary>
    public static AshlarException CommandNotFound(string instance, string command, int exit) => New(
        "ASH4010", $"The command of {instance}, '{command}', was not found or may not be executed (exit {exit}).",
        "Correct it under 'run:', or install what it names where the user that services run as finds it.");

    /// <summary>ASH4011: a tier of Ashlar's own did not come to life.</summary>
    public static AshlarException TierSilent(string instance, TimeSpan waited) => New(
        "ASH4011", $"{instance} did not report to the agent within {waited.TotalSeconds:0.#} s.", $"Read its output with ashlar logs {instance}.");

    /// <summary>ASH4012: no such service or instance.</summary>
    public static AshlarException UnknownTarget(string target, IReadOnlyCollection<string> known, string kind = "service or instance", string tier = Tier) =>
        new(new AshlarError("ASH4012", tier, $"The stack has no {kind} '{target}'.",
            (NearestName.Of(target, known) is { } nearest ? $"Did you mean {nearest}? " : "") + (known.Count > 0 ? $"It has {string.Join(", ", known)}." : "It has none.")));

    /// <summary>ASH4013: the stack was taken down while the order was carried out.</summary>
    public static AshlarException TakenDown(string verb) => New(
        "ASH4013", $"The stack was taken down before '{verb}' was done.", "Run it again after ashlar up.");

    /// <summary>ASH4014: nothing has been brought up yet.</summary>
    public static AshlarException NothingUp(string verb) => New(
        "ASH4014", $"'{verb}' needs a stack that is up, and no release has been brought up yet.", "Run ashlar up first.");

    /// <summary>ASH4021: the record of the release that runs is gone.</summary>
    public static AshlarException ReleaseLost(string name) => New(
        "ASH4021", $"The record of release {name} is gone from the store.", "What runs goes on; run ashlar up, which makes a new release.");

    /// <summary>ASH4016: the stack's user does not exist.</summary>
    public static AshlarException UnknownUser(string user) => New(
        "ASH4016", $"The user '{user}' under the key user does not exist on this machine.", "Create it, or name another one.");

    /// <summary>ASH4017: the agent could not become the new program.</summary>
    public static AshlarException UpgradeFailed(string program, string reason, Exception? inner = null) => New(
        "ASH4017", $"The agent cannot become {program}: {reason}. The old one goes on.", "Check that the file is the ashlar program and may be executed.", inner);

    /// <summary>ASH4018: a number of instances that makes no sense.</summary>
    public static AshlarException BadCount(string service, int count) => New(
        "ASH4018", $"{service} cannot run {count} instances.", "Give a number from 0 to 1000.");

    /// <summary>ASH4019: an edge that outlived its agent does not give its listening sockets back.</summary>
    public static AshlarException ListenersWithheld(string instance, string reason) => New(
        "ASH4019", $"{instance} runs but neither gives its listening sockets back nor can they be taken: {reason.TrimEnd('.')}.", $"Stop it by hand (ashlar ps shows its pid), or run ashlar down --now.");

    /// <summary>ASH4020: the agent of this stack died or closed the connection in the middle of an answer.</summary>
    public static AshlarException ConnectionLost(string verb, Exception? inner = null) => New(
        "ASH4020", $"The agent closed the connection before '{verb}' was answered.", "Run ashlar status to see how it went; agent.log says why.", inner);

    /// <summary>ASH4022: an agent has the stack but does not answer.</summary>
    /// <param name="folder">The stack's folder.</param>
    /// <param name="pid">Who has the stack; 0: unknown.</param>
    /// <param name="reason">What is known of it: <c>it is stopped</c>.</param>
    /// <param name="next">What to do; null: what helps where it hangs.</param>
    /// <param name="inner">What was met.</param>
    public static AshlarException DoesNotAnswer(string folder, int pid, string reason, string? next = null, Exception? inner = null) => New(
        "ASH4022", $"The agent of the stack in {folder}{(pid > 0 ? $", pid {pid}," : "")} does not answer: {reason}.",
        next ?? $"{(pid > 0 ? $"kill -9 {pid}" : "End it by kill -9")}, then ashlar up: what it started goes on and is taken over. .ashlar/logs/agent.log may say why.", inner);

    /// <summary>ASH4023: the user that services run as has changed under an agent that runs.</summary>
    public static AshlarException UserChanged(string before, string now) => New(
        "ASH4023", $"The stack's services run as {before} and are now to run as {now}; logs, metrics and releases belong to {before} while the stack is up.",
        "Run ashlar down, then ashlar up: that gives them to the new user. Or leave the key user as it was.");

    /// <summary>ASH4024: a tier of Ashlar's own hangs and is replaced.</summary>
    public static AshlarException TierHangs(string instance, int pid, TimeSpan waited) => New(
        "ASH4024", $"{instance} (pid {pid}) has not answered for {waited.TotalSeconds:0.#} s: it is killed and started again.",
        $"Nothing needs to be done. If it happens again, read ashlar logs {instance} and report it.");

    /// <summary>ASH4025: what is to be restarted is stopped.</summary>
    public static AshlarException Stopped(string target) => New(
        "ASH4025", $"{target} is stopped, so there is nothing to restart.", $"ashlar start {target} starts it.");

    /// <summary>ASH4026: a config var hides what a tier of the stack gives.</summary>
    public static AshlarError VariableHides(string variable, string tier) => New(
        "ASH4026", $"{variable} is set in the config vars, so the services do not use the stack's own {tier}.",
        $"ashlar config unset {variable} gives them that one; or remove {tier} from the stack file.").Error;

    /// <summary>ASH4027: the stack is another user's.</summary>
    public static AshlarException OfAnotherUser(string folder, string owner, string me) => New(
        "ASH4027", $"The stack in {folder} is run by {owner}, and you are {me}: only that user may command it.",
        $"Run the command as {owner}: sudo -u {owner} ashlar …");

    /// <summary>ASH4028: the path of an instance's Unix socket is longer than the kernel takes.</summary>
    public static AshlarException SocketPathTooLong(string path, int longest) => New(
        "ASH4028", $"The path of the socket {path} has more than the {longest} bytes that the kernel takes.",
        "Move the stack to a folder with a shorter path, or let the service listen on a port: endpoint: port.");

    private static AshlarException New(string code, string message, string next, Exception? inner = null) =>
        new(new AshlarError(code, Tier, message, next), inner);
}
