using Ashlar.Testing.Machines;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>A test on hosts of their own; skipped, with the reason, where there can be none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MachinesFactAttribute : FactAttribute
{
    public MachinesFactAttribute() => Skip = MachineNet.WhyNot;
}

/// <inheritdoc cref="MachinesFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MachinesTheoryAttribute : TheoryAttribute
{
    public MachinesTheoryAttribute() => Skip = MachineNet.WhyNot;
}
