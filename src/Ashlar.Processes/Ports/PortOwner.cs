using System.Net;

namespace Ashlar.Processes;

/// <summary>Who holds a TCP port, for error texts.</summary>
/// <param name="Endpoint">Where it listens.</param>
/// <param name="Pid">Process that holds it; null: another user's, which we may not see.</param>
/// <param name="Program">Its name; empty if unknown.</param>
/// <param name="User">User that the socket belongs to.</param>
/// <param name="Stack">Folder of the stack whose agent or tier it is; null: it is none.</param>
public sealed record PortOwner(IPEndPoint Endpoint, int? Pid, string Program, string User, string? Stack = null)
{
    private const string StateFolder = "/.ashlar";

    /// <summary>The process that listens on the port at that address or at all addresses; null: nobody does.</summary>
    /// <param name="address">An address of this machine; <see cref="IPAddress.Any"/>: any.</param>
    /// <param name="port">TCP port.</param>
    public static PortOwner? Find(IPAddress address, int port)
    {
        var found = TcpTable.Listening().Where(socket => socket.Covers(address, port)).Take(1).ToList();
        if (found.Count == 0)
            return null;
        var socket = found[0];
        var pids = new List<int>();
        ProcessTable.ListPids(pids);
        // One's own user's processes mostly have higher pids than the system's; the order is only a matter of speed.
        int? pid = pids.Cast<int?>().FirstOrDefault(candidate => TcpTable.SocketsOf(candidate!.Value).Contains(socket.Inode));
        var user = SystemUsers.Find(socket.Uid)?.Name ?? $"#{socket.Uid}";
        return new PortOwner(socket.Endpoint, pid, pid is null ? "" : ProcessTable.Name(pid.Value), user, pid is null ? null : StackOf(ProcessTable.CommandLine(pid.Value)));
    }

    /// <summary>The folder of the stack that a command line of ours names; null: it is not one of ours.</summary>
    internal static string? StackOf(string commandLine)
    {
        var end = commandLine.IndexOf(' ', StringComparison.Ordinal);
        if (end < 0 || Path.GetFileName(commandLine[..end]) != "ashlar")
            return null;
        return After(" --stack ") ?? (After(" --state ") is { } state && state.EndsWith(StateFolder, StringComparison.Ordinal) ? state[..^StateFolder.Length] : null);

        // A folder's name may have blanks.
        string? After(string option) => commandLine.IndexOf(option, StringComparison.Ordinal) is >= 0 and var at
            ? commandLine[(at + option.Length)..].Split(" --")[0]
            : null;
    }

    /// <summary>For people: <c>nginx (pid 812, user www-data)</c>, <c>the stack in /srv/shop (ashlar, pid 812, user root)</c>.</summary>
    public override string ToString() =>
        Pid is null ? $"a process of user {User}"
        : Stack is not null ? $"the stack in {Stack} ({Program}, pid {Pid}, user {User})"
        : $"{Program} (pid {Pid}, user {User})";
}
