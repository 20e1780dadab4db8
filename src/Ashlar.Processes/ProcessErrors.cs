using System.Net;
using System.Runtime.InteropServices;
using Ashlar.Errors;

namespace Ashlar.Processes;

/// <summary>The errors of this room that a person can meet, one method a code.</summary>
public static class ProcessErrors
{
    private const string Tier = "processes";

    /// <summary>ASH2001: the program to start is in no folder of the child's PATH, or the path given does not exist.</summary>
    public static AshlarException ProgramNotFound(string program, string path) => New("ASH2001",
        program.Contains('/') ? $"The program '{program}' does not exist." : $"The program '{program}' is in no folder of PATH ({path}).",
        "Install it, correct the name under 'run:', or give its whole path.");

    /// <summary>ASH2002: the program exists, but the user it is to run as may not execute it.</summary>
    public static AshlarException ProgramNotExecutable(string program, string user) => New("ASH2002",
        $"'{program}' is there, but user '{user}' may not execute it.",
        $"Give it execute permission (chmod +x '{program}') and let '{user}' enter its folders, or start it through its interpreter.");

    /// <summary>ASH2003: the folder to start in does not exist.</summary>
    public static AshlarException FolderMissing(string folder) => New("ASH2003",
        $"The working folder '{folder}' does not exist.", "Create it, or correct the service's 'directory:'.");

    /// <summary>ASH2004: the user may not enter the folder to start in.</summary>
    public static AshlarException FolderClosed(string folder, string user) => New("ASH2004",
        $"User '{user}' may not enter the working folder '{folder}'.",
        $"Let '{user}' enter it and every folder above it (chmod o+x), or move the stack to a folder that it may enter, e.g. under /srv.");

    /// <summary>ASH2005: the user to run as is not known to the system.</summary>
    public static AshlarException UserUnknown(string user) => New("ASH2005",
        $"There is no user '{user}' on this machine.", $"Create it (useradd --system {user}), or name another.");

    /// <summary>ASH2006: only root can start a process as another user.</summary>
    public static AshlarException UserNeedsRoot(string user) => New("ASH2006",
        $"To run as user '{user}' the agent must be root, and it is not.", "Start Ashlar as root, or leave the user out.");

    /// <summary>ASH2007: the log file cannot be opened for appending.</summary>
    public static AshlarException LogNotWritable(string path, int errno) => New("ASH2007",
        $"The log file '{path}' cannot be opened for writing: {Text(errno)}.", "Check its folder, its owner and the free space of the disk.");

    /// <summary>ASH2008: the kernel refused to start the program.</summary>
    public static AshlarException StartRefused(string program, int errno) => New("ASH2008",
        $"'{program}' could not be started: {Text(errno)}.",
        errno is Libc.ENOEXEC ? "It is no program of this machine: a script needs a first line such as '#!/bin/sh'."
            : errno is Libc.ENOENT ? "It is not there, or the interpreter that its first line names is not (one that ends with CR is another)."
            : "Check the limits on processes and memory of this machine (ulimit -a, free -m).");

    /// <summary>ASH2009: a tool that a start needs is missing from the system.</summary>
    public static AshlarException ToolMissing(string tool, string purpose) => New("ASH2009",
        $"The tool '{tool}' is missing; it is needed to {purpose}.", "Install the package util-linux.");

    /// <summary>ASH2010: this program could not be replaced by another in place.</summary>
    public static AshlarException ReplaceRefused(string program, int errno) => New("ASH2010",
        $"This process could not become '{program}': {Text(errno)}.", "Check that the file is there and executable.");

    /// <summary>ASH2011: nothing listened on the instance's port within its start time.</summary>
    public static AshlarException NeverListened(string instance, int port, TimeSpan waited) => New("ASH2011",
        $"{instance} did not listen on port {port} (its PORT) within {waited.TotalSeconds:0.#} s, and listens on no other.",
        "Let it bind the port in the variable PORT; its last lines show how far it came. 'start: {timeout: 2m}' gives a slow one more time.");

    /// <summary>ASH2012: the instance listens, but not where it was told to.</summary>
    public static AshlarException ListensElsewhere(string instance, int port, IEnumerable<IPEndPoint> found) => New("ASH2012",
        $"{instance} listens on {string.Join(", ", found)}, not on port {port} (its PORT).",
        "Let it bind the port in the variable PORT instead of a fixed one.");

    /// <summary>ASH2013: the instance listens on loopback only, and the balancer is on another machine.</summary>
    public static AshlarException ListensOnLoopbackOnly(string instance, int port) => New("ASH2013",
        $"{instance} listens on port {port} of loopback only, and its load balancer is on another machine.",
        "Let it bind 0.0.0.0 (or the machine's address) instead of 127.0.0.1.");

    /// <summary>ASH2014: the instance listens, but its health answer was not the expected one within its start time.</summary>
    public static AshlarException NeverHealthy(string instance, int port, string path, string lastAnswer, TimeSpan waited) => New("ASH2014",
        $"{instance} listens on port {port}, but GET {path} was not healthy within {waited.TotalSeconds:0.#} s: {lastAnswer}.",
        "Ask it by hand (curl -i) and read its last lines; 'health:' sets the path and the status expected.");

    /// <summary>ASH2015: no port of the range is free.</summary>
    public static AshlarException NoFreePort(int first, int last) => New("ASH2015",
        $"No port between {first} and {last} is free.", "Stop what holds them (ss -ltnp shows it), or give the stack another range.");

    /// <summary>ASH2017: the instance crashes again and again.</summary>
    public static AshlarException CrashLoop(string instance, int crashes, TimeSpan within, ExitReport last) => New("ASH2017",
        $"{instance} crashed {crashes} times within {Math.Ceiling(within.TotalSeconds):0} s, last by {last}.",
        "Its last lines say why; correct it and deploy again, or 'ashlar restart' it once the cause is gone.");

    /// <summary>ASH2018: the instance ended at once and left processes behind: it puts itself in the background.</summary>
    public static AshlarException WentToBackground(string instance, int strays) => New("ASH2018",
        $"{instance} ended with exit 0 and left {strays} process{(strays == 1 ? "" : "es")} behind in the background.",
        "Start it in the foreground (no --daemon, -d or '&'); Ashlar keeps it running.");

    /// <summary>The sentence of an errno.</summary>
    internal static string Text(int errno) => Marshal.GetPInvokeErrorMessage(errno);

    private static AshlarException New(string code, string message, string next) => new(new AshlarError(code, Tier, message, next));
}
