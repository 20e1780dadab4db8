using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Ashlar.Agent.Hosting;

/// <summary>
/// Descriptors that live through an execve: they are named in an environment variable and lose their close-on-exec flag for it.
/// </summary>
internal static partial class Inherited
{
    /// <summary>The variable: <c>lock=5,http=7</c>.</summary>
    public const string Variable = "ASHLAR_AGENT_DESCRIPTORS";

    /// <summary>Name of the agent's lock among them; all others are listening sockets.</summary>
    public const string Lock = "lock";

    private const int GetFlags = 1;
    private const int SetFlags = 2;
    private const int CloseOnExec = 1;

    /// <summary>What the program before us left; each is close-on-exec again, and the variable is gone.</summary>
    public static ImmutableSortedDictionary<string, int> Take()
    {
        var text = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, null);
        var descriptors = ImmutableSortedDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = part.LastIndexOf('=');
            if (at > 0 && int.TryParse(part.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && SetCloseOnExec(number, on: true))
            {
                descriptors[part[..at]] = number;
            }
        }

        return descriptors.ToImmutable();
    }

    /// <summary>The value of the variable for the program after us; each descriptor will stay open.</summary>
    public static string Leave(IEnumerable<KeyValuePair<string, int>> descriptors) => string.Join(',', descriptors.Select(d =>
    {
        SetCloseOnExec(d.Value, on: false);
        return string.Create(CultureInfo.InvariantCulture, $"{d.Key}={d.Value}");
    }));

    /// <summary>Takes back what <see cref="Leave"/> did, when there is no program after us after all.</summary>
    public static void Keep(IEnumerable<KeyValuePair<string, int>> descriptors)
    {
        foreach (var (_, number) in descriptors)
        {
            SetCloseOnExec(number, on: true);
        }
    }

    private static bool SetCloseOnExec(int descriptor, bool on)
    {
        var flags = Fcntl(descriptor, GetFlags, 0);
        return flags >= 0 && Fcntl(descriptor, SetFlags, on ? flags | CloseOnExec : flags & ~CloseOnExec) == 0;
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Fcntl(int descriptor, int command, int argument);
}
