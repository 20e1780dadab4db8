using Ashlar.Testing;

namespace Ashlar.Tests;

/// <summary>The pages that people read.</summary>
internal static class Documentation
{
    /// <summary>Their paths: those of the root that are there, and all of <c>docs/</c>.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        .. new[] { "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "bench/README.md" }
            .Select(page => Path.Combine(Checkout.Root, page)).Where(File.Exists),
        .. Directory.EnumerateFiles(Path.Combine(Checkout.Root, "docs"), "*.md").Order(),
    ];
}
