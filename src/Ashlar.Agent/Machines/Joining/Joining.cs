using System.Collections.Immutable;
using System.Security.Cryptography;
using Ashlar.Agent.Hosting;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Machines;

/// <summary>Makes a machine one of a stack's. One that is one already and still has its key gets new certificates by it.</summary>
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
        var token = JoinToken.Parse(tokenText);
        var already = MachineFile.Load(state.MachineFile);
        if (already is not null && ((name ?? already.Name) != already.Name || !IsOf(token, state)))
        {
            throw FleetErrors.JoinedAlready(folder, already.Stack, already.Name);
        }

        name = MachineName.Check(name ?? already?.Name ?? Founding.Suggest(Environment.MachineName));
        var own = Founding.RequireOwn(address ?? already?.Address);
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
        file = (already ?? file) with { Stack = answer.Stack, Address = file.Address, Endpoints = answer.Endpoints };
        file.Save(state.MachineFile);
        return file;
    }

    /// <summary>Forgets that this machine was one of a stack: its identity, and its copy of the orders. What engines and releases have left stays.</summary>
    internal static void Undo(StateFolder state)
    {
        foreach (var folder in Directory.GetDirectories(state.Path, $"{Path.GetFileName(state.Identity)}*"))
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (var file in Directory.GetFiles(state.Path, $"{Path.GetFileName(state.MachineStore)}*").Append(state.MachineFile))
        {
            File.Delete(file);
        }
    }

    private static bool IsOf(JoinToken token, StateFolder state)
    {
        using var identity = MachineIdentity.Load(state.Identity);
        return identity is not null && CryptographicOperations.FixedTimeEquals(identity.AuthorityFingerprint, token.Authority);
    }
}
