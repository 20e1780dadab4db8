using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>--here</c>: of this machine alone. It is how machines ask each other, so that none asks on.</summary>
internal static class Here
{
    /// <summary>The option.</summary>
    public static Option<bool> Option { get; } = new("--here") { Description = "of this machine alone, where a stack has several" };
}
