using System.Globalization;

namespace Ashlar.Catalog.Store;

/// <summary>The layout of the store: every key that Ashlar uses, in this one file. Values are JSON.</summary>
public static class Keys
{
    /// <summary>What the stack is to be: one key a matter.</summary>
    public const string Spec = "spec/";

    /// <summary>Config vars: an object of names and values. Secret.</summary>
    public const string ConfigVars = "spec/config";

    /// <summary>Number of the release that runs.</summary>
    public const string CurrentRelease = "spec/release";

    /// <summary>Number of the newest release ever begun; a number is never given twice.</summary>
    public const string LastRelease = "spec/last-release";

    /// <summary>Instances wanted where <c>ashlar scale</c> said otherwise than the stack, by service.</summary>
    public const string Scale = "spec/scale";

    /// <summary>Services and instances that a person has stopped.</summary>
    public const string Stopped = "spec/stopped";

    /// <summary>How often each service and instance was restarted by hand.</summary>
    public const string RestartCounts = "spec/restarts";

    /// <summary>Services under maintenance.</summary>
    public const string Maintenance = "spec/maintenance";

    /// <summary>Prefix of the releases.</summary>
    public const string Releases = "release/";

    /// <summary>Prefix of the machines; each key is bound to its agent's lease.</summary>
    public const string Nodes = "nodes/";

    /// <summary>Prefix of what each machine is to run.</summary>
    public const string DesiredStates = "desired/";

    /// <summary>Prefix of what each machine runs.</summary>
    public const string ActualStates = "actual/";

    /// <summary>Prefix of deploys under way: each is a state machine that the next leader goes on with.</summary>
    public const string Deploys = "deploy/";

    /// <summary>Where this state was moved from, and how far that has come; none: it was always here.</summary>
    public const string Move = "move";

    /// <summary>The election of the agent that does what must happen once.</summary>
    public const string Leader = "leader";

    /// <summary>A release; numbers have eight digits, so that the order of keys is theirs.</summary>
    public static string Release(int number) => Releases + number.ToString("D8", CultureInfo.InvariantCulture);

    /// <summary>A machine.</summary>
    public static string Node(string id) => Nodes + id;

    /// <summary>What a machine is to run.</summary>
    public static string Desired(string node) => DesiredStates + node;

    /// <summary>What a machine runs.</summary>
    public static string Actual(string node) => ActualStates + node;

    /// <summary>A deploy under way.</summary>
    public static string Deploy(string id) => Deploys + id;
}
