using System.Text;
using Ashlar.Errors;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Catalog.Channel;

/// <summary>What a tier's process itself has to say, a line each, to its stderr, which the agent keeps in the log of the instance.</summary>
/// <param name="instance">Who says it.</param>
/// <param name="output">Where to.</param>
public sealed class TierLog(string instance, Stream output)
{
    private readonly Lock _gate = new();

    /// <summary>To the process's standard error.</summary>
    public static TierLog ToStandardError(string instance) =>
        new(instance, new FileStream(new SafeFileHandle(2, ownsHandle: false), FileAccess.Write, bufferSize: 0));

    /// <summary>Says a line.</summary>
    public void Say(string text)
    {
        var line = Encoding.UTF8.GetBytes($"{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ss.fffZ} {instance}: {text}\n");
        try
        {
            lock (_gate)
            {
                output.Write(line);
            }
        }
        catch (IOException)
        {
            // A full disk must not end the tier.
        }
    }

    /// <summary>Says an error.</summary>
    public void Say(AshlarError error) => Say(error.ToString());
}
