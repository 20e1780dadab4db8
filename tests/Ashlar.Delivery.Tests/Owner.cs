using System.Diagnostics;

namespace Ashlar.Delivery.Tests;

/// <summary>Who owns a file.</summary>
internal static class Owner
{
    public static int Of(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%u", path]) { RedirectStandardOutput = true })!;
        return int.Parse(stat.StandardOutput.ReadToEnd());
    }
}
