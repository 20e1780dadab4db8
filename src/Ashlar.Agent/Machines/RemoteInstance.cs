namespace Ashlar.Agent.Machines;

/// <summary>An instance of another machine, as its agent tells.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Instance">The instance.</param>
internal sealed record RemoteInstance(MachineRecord Machine, MachineInstance Instance);
