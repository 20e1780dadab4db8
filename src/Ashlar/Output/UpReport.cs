using Ashlar.Agent.Api;

namespace Ashlar.Output;

/// <summary>What <c>up</c> and <c>rollback</c> say at their end.</summary>
internal static class UpReport
{
    /// <summary>The release and where it answers.</summary>
    public static string Render(Screen screen, UpResult result)
    {
        var head = $"{screen.Paint(result.Release, Ink.Strong)} is {screen.Paint("up", Ink.Good)}"
            + (result.Changed ? "" : ", nothing had changed");
        return result.Urls.IsEmpty ? head + "\n" : $"{head}: {string.Join(' ', result.Urls)}\n";
    }
}
