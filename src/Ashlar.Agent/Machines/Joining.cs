using System.Collections.Immutable;
using Ashlar.Agent.Hosting;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Machines;

/// <summary>Makes a machine one of a stack's.</summary>
public static class Joining
{
    /// <summary>Joins; thereafter an agent that starts in the folder is one of the stack's.</summary>
    /// <param name="folder">Folder for the stack on this machine.</param>
    /// <param name="tokenText">The token.</param>
    /// <param name="name">Name of the machine; null: after its host.</param>
    /// <param name="address">Address at which the others reach it.</param>
    /// <param name="labels">Labels for placement.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="Errors.AshlarException">ASH7501 to ASH7511.</exception>
    public static async Task<MachineFile> JoinAsync(
        string folder, string tokenText, string? name, string? address, ImmutableSortedSet<string> labels, TimeProvider time, CancellationToken cancellation)
    {
        var state = StateFolder.Of(folder);
        if (MachineFile.Load(state.MachineFile) is { } already)
        {
            throw FleetErrors.JoinedAlready(folder, already.Stack, already.Name);
        }

        var token = JoinToken.Parse(tokenText);
        name = MachineName.Check(name ?? Founding.Suggest(Environment.MachineName));
        var own = Founding.RequireOwn(address);
        state.CreateForStore();
        var request = MachineIdentity.Request(state.Identity, name);
        var file = new MachineFile { Stack = "", Name = name, Address = own.ToString(), PeerPort = Founding.PeerPort, HopPort = Founding.HopPort };
        var record = Founding.Record(file, labels, time);
        var (answer, authority) = await PeerClient.JoinAsync(
            token,
            new JoinRequest(
                token.Secret, name, request, MachineIdentity.Request(state.HopIdentity, name), file.Address, file.PeerPort, file.HopPort, record.Memory, record.Cores, labels, time.GetUtcNow(), ""),
            cancellation);
        MachineIdentity.Keep(state.Identity, answer.Certificate, authority);
        MachineIdentity.Keep(state.HopIdentity, answer.HopCertificate, answer.HopAuthority);
        file = file with { Stack = answer.Stack, Endpoints = answer.Endpoints };
        file.Save(state.MachineFile);
        return file;
    }
}
