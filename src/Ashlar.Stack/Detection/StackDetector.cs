using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>Looks at a folder and proposes a stack file that runs what is in it.</summary>
public static class StackDetector
{
    /// <summary>Folders in which no app of the stack's own lives.</summary>
    internal static readonly ImmutableHashSet<string> Skipped =
        ImmutableHashSet.Create(StringComparer.Ordinal, "bin", "obj", "node_modules", "vendor", "venv", "dist", "test", "tests");

    // The first that finds its app decides: a Procfile says most, a lone index.html least.
    private static readonly ImmutableArray<Func<string, DetectedStack?>> Detectors =
        [ProcfileDetector.Look, PythonDetector.Look, CSharpDetector.Look, NodeDetector.Look, PhpDetector.Look, StaticDetector.Look];

    /// <summary>The proposal; null when nothing in the folder is known to run.</summary>
    /// <param name="folder">The app's folder.</param>
    public static DetectedStack? Look(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Detectors.Select(d => d(folder)).FirstOrDefault(d => d is not null);
    }

    /// <summary>A file's text if it is there and sane; what is not cannot be looked into.</summary>
    internal static string? Text(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? SourceFile.Read(path, new Report())?.Text : null;
    }
}
