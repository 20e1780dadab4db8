using Ashlar.Testing.Machines;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>A test on hosts of their own; skipped, with the reason, where there can be none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MachinesFactAttribute : FactAttribute
{
    public MachinesFactAttribute(HostNeed need = HostNeed.Network) => Skip = MachineNet.WhyNot ?? need switch
    {
        HostNeed.Delay when !MachineNet.CanDelay => "This user may not use /dev/net/tun, by which links are made slow.",
        HostNeed.CpuShare when !Environment.IsPrivilegedProcess => "Only root can make control groups for hosts.",
        HostNeed.Root when !Environment.IsPrivilegedProcess => "Only root can be reached on a host by ssh.",
        _ => null,
    };
}

/// <summary>What a test needs of its hosts besides a network of their own, and an ordinary user may not have.</summary>
public enum HostNeed
{
    /// <summary>Nothing.</summary>
    Network,

    /// <summary>Links can be made slow.</summary>
    Delay,

    /// <summary>CPU can be shared out.</summary>
    CpuShare,

    /// <summary>The programs on the hosts are root's.</summary>
    Root,
}

/// <inheritdoc cref="MachinesFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MachinesTheoryAttribute : TheoryAttribute
{
    public MachinesTheoryAttribute() => Skip = MachineNet.WhyNot;
}
