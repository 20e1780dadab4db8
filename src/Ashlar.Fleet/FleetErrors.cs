using System.Globalization;
using Ashlar.Errors;

namespace Ashlar.Fleet;

/// <summary>The errors of the fleet. Codes ASH7501 to ASH7549.</summary>
public static class FleetErrors
{
    /// <summary>ASH7501: what was given is no join token.</summary>
    public static AshlarException NotAToken(string reason) => New(
        "ASH7501", $"This is no join token: {reason}.", "Copy the whole line that 'ashlar machines token' printed; it begins with 'ashlar-join-1'.");

    /// <summary>ASH7502: a join token that was used, has run out or was never given.</summary>
    public static AshlarException TokenSpent(string reason) => New(
        "ASH7502", $"The join token is not accepted: {reason}.", "Make another with 'ashlar machines token' on a machine of the stack.");

    /// <summary>ASH7503: another machine answers at an address than the one meant, or one of another stack.</summary>
    public static AshlarException AnswersAsAnother(string expected, string address, string found) => New(
        "ASH7503", $"Machine {expected} was expected at {address}, but {found} answers there. Nothing was said to it.",
        "Look at the address of the machine ('ashlar machines list'), and whether two machines share it.");

    /// <summary>ASH7504: a machine name that is taken.</summary>
    public static AshlarException NameTaken(string name, string address) => New(
        "ASH7504", $"There is a machine {name} already, at {address}.", $"Join under another name (--name). If it is the same machine and it has lost its disk: ashlar machines rm {name}, then join again.");

    /// <summary>ASH7505: a name that no machine can have.</summary>
    public static AshlarException BadName(string name) => New(
        "ASH7505", $"A machine cannot be called '{name}': 1 to 40 lower-case letters, digits and hyphens, a letter first.", "Choose another with --name.");

    /// <summary>ASH7506: the clock of a machine is too far off.</summary>
    public static AshlarException ClockOff(string machine, TimeSpan off) => New(
        "ASH7506", string.Create(CultureInfo.InvariantCulture, $"The clock of machine {machine} is {Math.Abs(off.TotalSeconds):0} s {(off > TimeSpan.Zero ? "ahead" : "behind")}: certificates and schedules would not hold there."),
        "Set it (timedatectl set-ntp true), then join again.");

    /// <summary>ASH7507: a certificate, key or request that cannot be used.</summary>
    public static AshlarException IdentityUnusable(string path, string reason, Exception? inner = null) => New(
        "ASH7507", $"{path} is no identity of a machine: {reason}.", "Remove the machine from the stack (ashlar machines rm NAME), delete the folder, and join again.", inner);

    /// <summary>ASH7508: a machine cannot be reached.</summary>
    public static AshlarException Unreachable(string machine, string address, string reason, Exception? inner = null) => New(
        "ASH7508", $"The machine {machine} cannot be reached at {address}: {reason}.", "See whether it runs and whether its address and port are open to this machine.", inner);

    /// <summary>ASH7509: the folder belongs to a stack already.</summary>
    public static AshlarException JoinedAlready(string folder, string stack, string name) => New(
        "ASH7509", $"{folder} is machine {name} of the stack {stack} already.", "Join in another folder, or leave the stack first: ashlar destroy.");

    /// <summary>ASH7511: an address that this machine does not have.</summary>
    public static AshlarException AddressNotOwn(string address, IReadOnlyCollection<string> own) => New(
        "ASH7511", address.Length == 0 ? "The others must know at which address they reach this machine." : $"{address} is no address of this machine.",
        own.Count == 0 ? "It has none but loopback: give it one." : $"Say which: --address {string.Join(" or ", own)}.");

    /// <summary>ASH7512: no machine leads.</summary>
    public static AshlarException NoLeader() => New(
        "ASH7512", "No machine leads the stack now: its shared state cannot be reached, or a leader is being found. What runs goes on.",
        "Try again in a few seconds; then look at 'ashlar machines list' and at etcd on the first machines.");

    /// <summary>ASH7513: there is no stack to add machines to.</summary>
    public static AshlarException NothingRuns() => New("ASH7513", "The stack does not run yet, so there is nothing to add machines to.", "Bring it up first: ashlar up.");

    /// <summary>ASH7524: the files of an app that did not come from the machine on which up was ordered.</summary>
    public static AshlarException SourcesMissing(string machine, string leader, string reason, Exception? inner = null) => New(
        "ASH7524", $"The app's files did not come from {machine}, where up was ordered, to {leader}, which leads: {reason}. Nothing was changed.",
        $"Give the order again on {machine}. What its agent says: .ashlar/logs/agent.log there.", inner);

    /// <summary>ASH7525: the files of a release that did not come from another machine.</summary>
    public static AshlarException ReleaseNotCopied(string release, string machine, string reason, Exception? inner = null) => New(
        "ASH7525", $"The files of {release} did not come from {machine}: {reason}.",
        "What runs goes on, and they are asked for again. See whether the machines reach each other (ashlar machines list).", inner);

    /// <summary>ASH7530: a machine that led, and does not any more.</summary>
    public static AshlarException LeadsNoMore() => New(
        "ASH7530", "This machine led the stack and does not any more: it was silent for too long, and another took over. Nothing was written.",
        "Give the order again: it goes to the one that leads now. What goes on: ashlar status.");

    /// <summary>ASH7531: the machine that was to carry out an order has gone before it had begun.</summary>
    public static AshlarException OrderLost(string verb, string machine, string? leader) => New(
        "ASH7531", $"Machine {machine}, which was to carry out '{verb}', has gone before anything that runs was touched{(leader is null ? "" : $"; {leader} leads now")}.",
        $"Give the order again: ashlar {verb}. A release that was being built is not used.");

    /// <summary>ASH7532: nothing is moved while most are silent.</summary>
    public static AshlarException Frozen() => New(
        "ASH7532", "More than half of the machines are silent, so nothing is moved: the network is the more likely cause. What runs goes on.",
        "See which (ashlar machines list) and why; when they are heard again, give the order again.");

    /// <summary>ASH7514: instances that no machine can have.</summary>
    public static AshlarException Pending(IReadOnlyCollection<KeyValuePair<string, string>> pending) => New(
        "ASH7514", $"{string.Join(". ", pending.Take(MostNamed).Select(p => $"{p.Key} has no machine: {p.Value}"))}{(pending.Count > MostNamed ? $". And {pending.Count - MostNamed} more" : "")}.",
        "All else is as ordered. Add a machine (ashlar machines add), let a cordoned one take instances again (ashlar machines uncordon), give one the label (ashlar machines label), or ask for less.");

    /// <summary>ASH7515: one who is no machine of the stack, or no more.</summary>
    public static AshlarException NotOne(string name, string at) => New(
        "ASH7515", $"{name} is no machine of the stack, as {at} knows it.",
        $"If it has just joined, try again. If it was removed: ashlar machines token on a machine of the stack, then ashlar join on {name}.");

    /// <summary>ASH7516: two agents that do not speak the same protocol.</summary>
    public static AshlarException ProtocolDiffers(string machine, int theirs, int ours) => New(
        "ASH7516", $"{machine} runs another version of Ashlar: its agent speaks protocol {theirs}, this one {ours}. What runs goes on; orders do not pass between them.",
        "Bring all machines to the same version: ashlar machines list shows them, ashlar machines add USER@HOST copies this one's.");

    /// <summary>ASH7517: a machine whose certificate has run out.</summary>
    public static AshlarException Expired(string machine, DateTimeOffset since) => New(
        "ASH7517", string.Create(CultureInfo.InvariantCulture, $"The certificate of machine {machine} was good until {since.UtcDateTime:yyyy-MM-dd HH:mm} UTC, so the others do not believe it. What runs there goes on."),
        $"Give it a new one by a token: ashlar machines token on another machine, then ashlar join in the stack's folder on {machine}. If it is not so late, set its clock.");

    /// <summary>ASH7518: a machine that there is not.</summary>
    public static AshlarException Unknown(string name, IReadOnlyCollection<string> known) => New(
        "ASH7518", $"The stack has no machine '{name}'.",
        (Stack.NearestName.Of(name, known) is { } nearest ? $"Did you mean {nearest}? " : "") + (known.Count > 0 ? $"It has {string.Join(", ", known)}." : "It stands on this one alone."));

    /// <summary>ASH7519: a machine that cannot be removed yet.</summary>
    public static AshlarException NotRemovable(string name, string reason, string next) => New(
        "ASH7519", $"The machine {name} is not removed: {reason}.", next);

    /// <summary>ASH7520: a label that cannot be one.</summary>
    public static AshlarException BadLabel(string label) => New(
        "ASH7520", $"'{label}' is no label: 1 to 40 lower-case letters, digits and inner hyphens.", "Correct it. A hyphen at the end takes a label away: web-.");

    /// <summary>ASH7521: a machine of a fleet whose label the stack file gives.</summary>
    public static AshlarException LabelOfFile(string label, string name) => New(
        "ASH7521", $"The label {label} of {name} stands in the stack file.", "Take it out there (machines), then run ashlar up.");

    /// <summary>ASH7523: an address that another machine has.</summary>
    public static AshlarException AddressTaken(string address, string owner) => New(
        "ASH7523", $"The address {address} is that of machine {owner}.", $"Join with another address (--address). If {owner} is gone: ashlar machines rm {owner}, then join again.");

    /// <summary>ASH7522: a drained machine that keeps something.</summary>
    public static AshlarException StillThere(string name, IReadOnlyCollection<KeyValuePair<string, string>> stayed) => New(
        "ASH7522", $"{name} takes nothing new, and what could leave has left. {string.Join(". ", stayed.Select(s => $"{s.Key} stays: {s.Value}"))}.",
        $"For a reboot that is enough: what stays is back with the machine, and ashlar machines uncordon {name} opens it again. Have a backup before it is switched off for longer. What has no room elsewhere leaves when there is some and it is drained again; what has its data there cannot leave yet.");

    private const int MostNamed = 5;

    private static AshlarException New(string code, string message, string next, Exception? inner = null) =>
        new(new AshlarError(code, "machines", message, next), inner);
}
