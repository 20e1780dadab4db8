using System.Globalization;
using Ashlar.Errors;

namespace Ashlar.Jobs;

/// <summary>The errors of this room that a person can meet, one method a code: ASH3200 to ASH3299. Those from 3210 on are raised by the database.</summary>
public static class JobsErrors
{
    private const string Tier = "jobs";

    /// <summary>The code of <see cref="Arguments"/>.</summary>
    internal const string ArgumentsCode = "ASH3201";

    /// <summary>ASH3201: the jobs process was started with words that it does not understand.</summary>
    public static AshlarException Arguments(string problem) => New(ArgumentsCode, $"The jobs process was started wrongly: {problem}.",
        "It is started by the agent: ashlar up. If the agent did this, it is a bug.");

    /// <summary>ASH3202: the database does not answer.</summary>
    public static AshlarException Unreachable(int port, string reason) => New("ASH3202", $"The queue's database on port {port} does not answer: {reason.TrimEnd('.')}.",
        "Nothing is lost: jobs go on when it is back. See 'ashlar ps' and 'ashlar logs database'.");

    /// <summary>ASH3203: another dispatcher has taken over.</summary>
    public static AshlarException Fenced(long epoch) => New("ASH3203", $"Another jobs process has taken over from this one (epoch {epoch}).",
        "There is nothing to do: this one stands by, and what it had in hand is done again by the other.");

    /// <summary>ASH3204: the schema is of a newer program.</summary>
    public static AshlarException SchemaNewer(int found, int known) => New("ASH3204", $"The schema ashlar in the database has version {found}, and this Ashlar knows {known}.",
        "Use the newer Ashlar that made it.");

    /// <summary>ASH3216: the schema is somebody else's.</summary>
    public static AshlarException SchemaTaken() => New("ASH3216", "There is a schema named ashlar in the database that Ashlar has not made.",
        "Rename it: alter schema ashlar rename to …; then ashlar restart jobs.");

    /// <summary>ASH3217: a transaction has held the queue's tables for long.</summary>
    public static AshlarError OpenForLong(int session, string application, TimeSpan since) => New("ASH3217",
        string.Create(CultureInfo.InvariantCulture, $"Session {session}{(application.Length > 0 ? $" ({application})" : "")} has held the queue's tables in one transaction for {since.TotalSeconds:0} s: what it enqueued is not handed out before it commits, and until then no table that it holds is emptied."),
        "Other jobs go on at full speed. If it is no backup, end it: 'ashlar pg ps' shows it.").Error;

    /// <summary>ASH3205: the stack has no jobs.</summary>
    public static AshlarException NoJobs(string stack) => New("ASH3205", $"The stack {stack} has no jobs.",
        "Name a queue in the stack file, for example 'jobs: {emails: {to: worker, path: /jobs/emails}}', then ashlar up.");

    /// <summary>ASH3206: there is no such queue or schedule.</summary>
    public static AshlarException Unknown(string what, string name, IReadOnlyCollection<string> known) => New("ASH3206", $"There is no {what} '{name}'.",
        known.Count == 0 ? "The stack has none." : $"There {(known.Count == 1 ? "is" : "are")}: {string.Join(", ", known)}.");

    /// <summary>ASH3207: there is no such job any more, or it is in no state for this.</summary>
    public static AshlarException NoJob(long id, string wanted) => New("ASH3207", $"There is no job {id} that {wanted}.",
        $"'ashlar jobs show {id}' says what is known of it; done jobs are remembered for a day.");

    /// <summary>ASH3208: a payload that is no JSON.</summary>
    public static AshlarException NotJson(string reason) => New("ASH3208", $"The payload is no JSON: {reason.TrimEnd('.')}.", "Give one JSON value, for example '{\"to\": 7}'.");

    /// <summary>ASH3209: the database refused a job, for a reason of its own or for one of those that our functions have.</summary>
    /// <param name="message">The database's message.</param>
    /// <param name="hint">Its hint.</param>
    public static AshlarException Refused(string message, string? hint) =>
        message.Length > 9 && RaisedByFunctions.Contains(message[..7])
            ? New(message[..7], $"{char.ToUpperInvariant(message[9])}{message[10..].TrimEnd('.')}.", hint ?? "See docs/jobs.md.")
            : New("ASH3209", $"The database refused: {message.TrimEnd('.')}.", hint ?? "See 'ashlar logs database'.");

    /// <summary>Codes at the begin of what the functions of <c>Schema.sql</c> raise, which apps meet: a payload too large, none, other arguments out of range,
    /// no such queue, a key taken meanwhile, a lease that was lost.</summary>
    private static readonly string[] RaisedByFunctions = ["ASH3210", "ASH3211", "ASH3212", "ASH3213", "ASH3214", "ASH3215"];

    private static AshlarException New(string code, string message, string nextStep) => new(new AshlarError(code, Tier, message, nextStep));
}
