using System.Runtime.InteropServices;

namespace Ashlar.Processes;

/// <summary>Reads an environment variable and wipes it where others could read it.</summary>
public static unsafe partial class SecretVariable
{
    /// <summary>
    /// The value of a variable, which is then gone: for what this process starts, and from <c>/proc/PID/environ</c>, which shows the
    /// memory that the process was started with.
    /// </summary>
    public static string? Take(string name)
    {
        var value = Environment.GetEnvironmentVariable(name);
        for (var at = GetEnv(name); at is not null && *at != 0; at++)
        {
            *at = 0;
        }

        Environment.SetEnvironmentVariable(name, null);
        return value;
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* GetEnv(string name);
}
