namespace Ashlar.Fleet.Liveness;

/// <summary>Whether a machine is there.</summary>
public enum MachineHealth
{
    /// <summary>It has been heard of lately.</summary>
    Alive,

    /// <summary>It has been silent for 10 s: nothing new is placed there, what it has stays.</summary>
    Suspect,

    /// <summary>It has been silent for 60 s: what it had is replaced.</summary>
    Lost,
}
