using Ashlar.Agent.Hosting;
using Ashlar.Fleet.Identity;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>The machine's identity for a tier that runs as another user: its key can be read by its owner alone.</summary>
internal static class IdentityCopy
{
    /// <summary>Makes it, or makes it anew.</summary>
    /// <param name="state">The stack's state.</param>
    /// <param name="tier">Whose it is.</param>
    /// <param name="user">User that the tier runs as; null: our own, which reads the original.</param>
    /// <returns>The folder.</returns>
    public static string For(StateFolder state, string tier, SystemUser? user)
    {
        if (user is null)
        {
            return state.Identity;
        }

        var folder = $"{state.Identity}-{tier}";
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var name in new[] { MachineIdentity.AuthorityFile, MachineIdentity.CertificateFile, MachineIdentity.KeyFile })
        {
            var next = Path.Combine(folder, $"{name}.next");
            File.Copy(Path.Combine(state.Identity, name), next, overwrite: true);
            Ownership.Give(next, user);
            File.Move(next, Path.Combine(folder, name), overwrite: true);
        }

        Ownership.Give(folder, user);
        return folder;
    }
}
