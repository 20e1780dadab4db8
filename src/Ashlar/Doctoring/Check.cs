using System.Collections.Immutable;

namespace Ashlar.Doctoring;

/// <summary>How a check came out.</summary>
internal enum Verdict
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>The stack runs, but something will be missing or worse.</summary>
    Warning,

    /// <summary>The stack, or a part of it, cannot run.</summary>
    Failed,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Name">What: <c>port 8080</c>.</param>
/// <param name="Verdict">How it came out.</param>
/// <param name="Finding">What was found, with its numbers.</param>
/// <param name="Next">What to do; empty if nothing.</param>
/// <param name="Package">Debian package that mends it; null if none does.</param>
internal sealed record Check(string Name, Verdict Verdict, string Finding, string Next = "", string? Package = null)
{
    /// <summary>As it should be.</summary>
    public static Check Good(string name, string finding) => new(name, Verdict.Good, finding);
}

/// <summary>What <c>doctor --json</c> writes.</summary>
/// <param name="Ready">True: no check failed.</param>
/// <param name="Checks">All checks.</param>
/// <param name="Installed">Packages that <c>--fix</c> has installed.</param>
internal sealed record DoctorReport(bool Ready, ImmutableArray<Check> Checks, ImmutableArray<string> Installed);
