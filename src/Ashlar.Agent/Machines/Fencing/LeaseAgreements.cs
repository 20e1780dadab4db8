using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Machines.Fencing;

/// <summary>
/// What machines say to each other of leases while the shared store cannot be reached: a lease is left to the one that asks for it, unless
/// this machine knows of another that has it.
/// </summary>
/// <param name="view">What is known here.</param>
internal sealed class LeaseAgreements(Func<FleetView> view)
{
    /// <summary>Asks a machine.</summary>
    /// <exception cref="Errors.AshlarException">ASH7503.</exception>
    /// <exception cref="IOException">It does not answer.</exception>
    public static async Task<bool> AskAsync(MachineIdentity identity, MachineRecord machine, string lease, CancellationToken cancellation)
    {
        await using var stream = await PeerClient.CallAsync(identity, machine, PeerFrames.Lease, cancellation);
        await PeerFrames.WriteAsync(stream, new LeaseQuestion(lease), MachineJson.Default.LeaseQuestion, cancellation);
        return (await PeerFrames.ReadAsync(stream, MachineJson.Default.LeaseAgreement, cancellation)).Agreed;
    }

    /// <summary>Answers a machine.</summary>
    /// <param name="stream">The call.</param>
    /// <param name="machine">Who asks, as its certificate says.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task AnswerAsync(Stream stream, string machine, CancellationToken cancellation)
    {
        var question = await PeerFrames.ReadAsync(stream, MachineJson.Default.LeaseQuestion, cancellation);
        var holder = view().Leases.GetValueOrDefault(question.Lease);
        await PeerFrames.WriteAsync(stream, new LeaseAgreement(holder is null || holder == machine), MachineJson.Default.LeaseAgreement, cancellation);
    }
}
