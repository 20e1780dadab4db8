using System.Text;

namespace Ashlar.Agent.Supervision;

/// <summary>The kernel's limit on the path of a Unix socket (unix(7)), told before an app meets it.</summary>
internal static class SocketPaths
{
    private const int Longest = 107;

    /// <exception cref="Errors.AshlarException">ASH4028: it is too long.</exception>
    public static void Check(string path)
    {
        if (Encoding.UTF8.GetByteCount(path) > Longest)
        {
            throw AgentErrors.SocketPathTooLong(path, Longest);
        }
    }
}
