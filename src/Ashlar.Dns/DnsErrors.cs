using Ashlar.Errors;

namespace Ashlar.Dns;

/// <summary>Errors of the DNS tier that a person can meet: ASH3100 to ASH3199.</summary>
public static class DnsErrors
{
    /// <summary>Code of <see cref="Arguments"/>.</summary>
    internal const string ArgumentsCode = "ASH3101";

    private const string Tier = "dns";

    /// <summary>ASH3100: a zone of the stack cannot be served.</summary>
    /// <param name="zone">Its name.</param>
    /// <param name="mistakes">What is wrong, with place; one at least.</param>
    public static AshlarException ZoneBroken(string zone, IReadOnlyList<string> mistakes) => new(ZoneNotTaken(zone, mistakes, "Nothing has changed."));

    /// <summary>ASH3101: the process was started with arguments that it does not understand; only the agent starts it.</summary>
    internal static AshlarException Arguments(string reason) => new(new AshlarError(
        ArgumentsCode, Tier, $"The name server cannot start: {reason}.",
        "The agent starts it; use ashlar up. If the agent did, its program and this one are of different builds: run ashlar up again."));

    /// <summary>ASH3102: the metrics file cannot be made.</summary>
    internal static AshlarError MetricsNotWritable(string path, string reason) => new(
        "ASH3102", Tier, $"The metrics file {path} cannot be made: {reason}. Queries are answered, but not counted for others to see.",
        "Free space or give the tier's user write permission on the folder, then run: ashlar restart dns.");

    /// <summary>ASH3103: what the tier keeps for its next start cannot be written.</summary>
    internal static AshlarError NotWritable(string path, string reason) => new(
        "ASH3103", Tier, $"{path} cannot be written: {reason}. Queries are answered; after the next start serials and last good answers may be older.",
        "Free space or give the tier's user write permission on the folder.");

    /// <summary>ASH3104: a socket that the agent handed down cannot be used.</summary>
    internal static AshlarError CannotListen(string listener, string reason) => new(
        "ASH3104", Tier, $"The name server cannot answer on {listener}: {reason}.", "Run: ashlar restart dns. If it stays, run ashlar doctor.");

    /// <summary>ASH3105: no resolver answers.</summary>
    internal static AshlarError NothingAnswers(string name, string asked) => new(
        "ASH3105", Tier, $"Nothing answers for {name}: {asked}.",
        "See that the resolvers of /etc/resolv.conf, or of dns.resolvers in the stack file, are there and can be reached. Names of the stack's own zones do not need them.");

    /// <summary>ASH3106: where an ALIAS leads has no addresses, or nobody tells them.</summary>
    internal static AshlarError AliasUnknown(string name, string target, string reason, bool keeps) => new(
        "ASH3106", Tier, $"{target}, of which {name} is an ALIAS, gives no addresses: {reason}. {(keeps ? "The last good answer stays." : $"{name} is answered with a failure until it does.")}",
        "See that the name is right and that it has addresses: kdig NAME A.");

    /// <summary>ASH3107: a record that is to be added or taken away is none.</summary>
    /// <param name="text">The record.</param>
    /// <param name="reason">What is wrong with it.</param>
    public static AshlarException BadRecord(string text, string reason) => New(
        "ASH3107", $"'{text}' is no record: {reason}.", "Write it as a line of a master file: www A 192.0.2.7, or @ MX 10 mail. Names without a dot at their end stand under the zone.");

    /// <summary>ASH3108: a name lies in none of the stack's zones.</summary>
    /// <param name="name">The name.</param>
    /// <param name="zones">The zones there are.</param>
    public static AshlarException NoZone(string name, IReadOnlyList<string> zones) => New(
        "ASH3108", $"{name} is in no zone of this stack{(zones.Count == 0 ? ", which has none" : $"; there {(zones.Count == 1 ? "is" : "are")} {string.Join(", ", zones)}")}.",
        "Name one under dns.zones in ashlar.yaml, then run: ashlar up.");

    /// <summary>ASH3109: a record that is to be taken away is not one that was added.</summary>
    /// <param name="text">The record.</param>
    /// <param name="reason">Where it is instead, or that it is not there.</param>
    public static AshlarException NotAdded(string text, string reason) => New(
        "ASH3109", $"'{text}' cannot be taken away: {reason}.", "ashlar dns list shows all records with where each comes from. Those of the stack file and of master files are changed there.");

    /// <summary>ASH3110: more records are added than the state holds.</summary>
    /// <param name="zone">The zone.</param>
    /// <param name="most">How many there may be.</param>
    public static AshlarException TooMany(string zone, int most) => New(
        "ASH3110", $"{zone} would have more than {most} records added by hand.", "Keep them in a master file, named under dns.zones.NAME.file in ashlar.yaml.");

    /// <summary>ASH3111: the stack asks for no DNS.</summary>
    public static AshlarException NotAsked() => New(
        "ASH3111", "This stack has no DNS.", "Add dns: {zones: {NAME: {}}} to ashlar.yaml, then run: ashlar up.");

    internal static AshlarError ZoneNotTaken(string zone, IReadOnlyList<string> mistakes, string instead) => new(
        "ASH3100", Tier, $"The zone {zone} has {(mistakes.Count == 1 ? "a mistake" : $"{mistakes.Count} mistakes")}:{string.Concat(mistakes.Take(10).Select(mistake => $"\n    {mistake}"))}\n{instead}",
        "Correct it and run: ashlar up. ashlar dns check FILE says all that is wrong with a master file.");

    private static AshlarException New(string code, string message, string nextStep) => new(new AshlarError(code, Tier, message, nextStep));
}
