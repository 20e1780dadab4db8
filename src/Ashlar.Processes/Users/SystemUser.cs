using System.Runtime.InteropServices;

namespace Ashlar.Processes;

/// <summary>A user of this machine, from the system's user database (files, LDAP, …).</summary>
/// <param name="Name">Login name.</param>
/// <param name="Uid">User id.</param>
/// <param name="Gid">Id of its primary group.</param>
/// <param name="Home">Home folder; it need not exist.</param>
/// <param name="Shell">Login shell.</param>
public sealed record SystemUser(string Name, uint Uid, uint Gid, string Home, string Shell);

/// <summary>Looks users up.</summary>
public static class SystemUsers
{
    /// <summary>True: this process may become any user.</summary>
    public static bool IsRoot => Libc.geteuid() == 0;

    /// <summary>The user this process runs as; a made-up name where the database does not know its id.</summary>
    public static SystemUser Current => Find(Libc.geteuid())
        ?? new SystemUser($"#{Libc.geteuid()}", Libc.geteuid(), Libc.getegid(), "/", "/bin/sh");

    /// <summary>The user of that name, or null.</summary>
    public static unsafe SystemUser? Find(string name) => Find((entry, buffer, size, result) =>
        Libc.getpwnam_r(name, (Libc.Passwd*)entry, (byte*)buffer, size, (Libc.Passwd**)result));

    /// <summary>The user of that id, or null.</summary>
    public static unsafe SystemUser? Find(uint uid) => Find((entry, buffer, size, result) =>
        Libc.getpwuid_r(uid, (Libc.Passwd*)entry, (byte*)buffer, size, (Libc.Passwd**)result));

    /// <summary>All groups of the user, its primary one among them.</summary>
    public static unsafe uint[] Groups(SystemUser user)
    {
        for (var capacity = 64; ; capacity *= 4)
        {
            var groups = new uint[capacity];
            var count = capacity;
            fixed (uint* pointer = groups)
            {
                if (Libc.getgrouplist(user.Name, user.Gid, pointer, &count) >= 0)
                    return groups[..count];
            }
        }
    }

    private static unsafe SystemUser? Find(Func<nint, nint, nuint, nint, int> ask)
    {
        for (var size = 1024; ; size *= 4)
        {
            var buffer = new byte[size];
            Libc.Passwd entry;
            Libc.Passwd* found;
            fixed (byte* pointer = buffer)
            {
                var error = ask((nint)(&entry), (nint)pointer, (nuint)size, (nint)(&found));
                if (error == Libc.ERANGE && size < 1 << 20)
                    continue;
                return error != 0 || found is null
                    ? null
                    : new SystemUser(String(entry.Name), entry.Uid, entry.Gid, String(entry.Home), String(entry.Shell));
            }
        }

        static string String(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";
    }
}
