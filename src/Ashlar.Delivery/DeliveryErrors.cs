using Ashlar.Errors;

namespace Ashlar.Delivery;

/// <summary>The errors of releases. Codes ASH50xx.</summary>
public static class DeliveryErrors
{
    private const string Tier = "releases";

    /// <summary>ASH5001: a service's build command failed.</summary>
    public static AshlarException BuildFailed(string release, string service, string command, string end, string log, IReadOnlyList<string> lastLines) =>
        New("ASH5001",
            $"The build of {service} for {release} failed ({end}): {command}{Quote(lastLines)}",
            $"Mend it and give the order again (ashlar up); what ran before goes on. The whole output is in {log}; the copy that was built, releases/{release}, is removed.");

    /// <summary>ASH5002: the stack's release command failed.</summary>
    public static AshlarException ReleaseCommandFailed(string release, string command, string end, string log, IReadOnlyList<string> lastLines) =>
        New("ASH5002",
            $"The release command of {release} failed ({end}): {command}{Quote(lastLines)}",
            $"Mend it and give the order again (ashlar up); what ran before goes on. The whole output is in {log}.");

    /// <summary>ASH5003: a file of the app cannot be read or copied.</summary>
    public static AshlarException FileUnreadable(string path, string reason, Exception? inner = null) =>
        New("ASH5003",
            $"Cannot read {path}: {reason}.",
            "Make it readable for the user that the agent runs as, or name it in .ashlarignore if the app does not need it.", inner);

    /// <summary>ASH5004: the disk is full.</summary>
    public static AshlarException DiskFull(string release, string folder, Exception? inner = null) =>
        New("ASH5004",
            $"The disk that holds {folder} became full while {release} was made; what was copied has been removed again.",
            "Free some space, or leave large files out with .ashlarignore, and run ashlar up again.", inner);

    /// <summary>ASH5005: the folder of a release cannot be made or written.</summary>
    public static AshlarException FolderUnusable(string folder, string reason, Exception? inner = null) =>
        New("ASH5005", $"Cannot write {folder}: {reason}.", "Check who owns the stack's .ashlar folder and whether its file system is writable.", inner);

    /// <summary>ASH5006: there is no such release.</summary>
    public static AshlarException UnknownRelease(string name, IEnumerable<string> possible) =>
        New("ASH5006", $"There is no release {name}.", possible.ToArray() is { Length: > 0 } some
            ? $"ashlar releases lists them; one can go back to {string.Join(", ", some)}."
            : "ashlar releases lists them.");

    /// <summary>ASH5007: the release cannot be gone back to.</summary>
    public static AshlarException NoWayBack(string name, string reason, IEnumerable<string> possible) =>
        New("ASH5007", $"Cannot go back to {name}: {reason}.", possible.ToArray() is { Length: > 0 } some
            ? $"One can go back to {string.Join(", ", some)}."
            : "There is no release to go back to; ashlar up makes a new one.");

    /// <summary>ASH5008: config vars that the app requires are not set.</summary>
    public static AshlarException VariablesMissing(IReadOnlyCollection<string> names) =>
        New("ASH5008",
            $"The app requires {string.Join(", ", names)} and no file gives {(names.Count == 1 ? "it" : "them")} a value.",
            $"Set {(names.Count == 1 ? "it" : "them")}: ashlar config set {string.Join(' ', names.Select(name => $"{name}=…"))}");

    /// <summary>ASH5009: the name is none that a variable can have.</summary>
    public static AshlarException BadVariable(string name, string reason) =>
        New("ASH5009", $"\"{name}\" cannot be a config var: {reason}.", "A name is letters, digits and _, and does not begin with a digit.");

    /// <summary>ASH5010: the variable is one that Ashlar gives to each instance itself.</summary>
    public static AshlarException VariableGiven(string name) =>
        New("ASH5010", $"{name} cannot be a config var: Ashlar gives every instance its own.",
            name == "PORT" ? "Let the app listen on $PORT; the port that clients use is the key edge.listen.http in ashlar.yaml." : "Leave it out, or take another name.");

    private static AshlarException New(string code, string message, string next, Exception? inner = null) =>
        new(new AshlarError(code, Tier, message, next), inner);

    private static string Quote(IReadOnlyList<string> lines) =>
        lines.Count == 0 ? ". It wrote nothing." : ". Its last lines:" + string.Concat(lines.Select(line => $"\n    {line}"));
}
