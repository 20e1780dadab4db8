using System.Text;
using Ashlar.Errors;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Edge.Tier;

/// <summary>What the edge itself has to say, a line each, to its stderr, which the agent keeps in the log of the instance.</summary>
internal sealed class TierLog(string instance, Stream output)
{
    private readonly Lock _gate = new();

    public static TierLog ToStandardError(string instance) =>
        new(instance, new FileStream(new SafeFileHandle(2, ownsHandle: false), FileAccess.Write, bufferSize: 0));

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
            // A full disk must not end the edge.
        }
    }

    public void Say(AshlarError error) => Say(error.ToString());
}
