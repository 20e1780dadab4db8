namespace Ashlar;

/// <summary>Finds the folder of the stack that a verb is about.</summary>
internal static class StackLocation
{
    /// <summary>The folder in which the stack keeps its state, beside its file.</summary>
    public const string StateFolder = ".ashlar";

    private static readonly string[] Files = ["ashlar.yaml", "ashlar.yml", "Procfile"];

    /// <summary>The folder that a path names: itself, or the one that holds the file.</summary>
    /// <exception cref="Errors.AshlarException">There is nothing of that name (ASH6027).</exception>
    public static string OfPath(string current, string path)
    {
        var full = Path.GetFullPath(path, current);
        return File.Exists(full) ? Path.GetDirectoryName(full)!
            : Directory.Exists(full) ? Path.TrimEndingDirectorySeparator(full)
            : throw CliErrors.NoSuchPath(full);
    }

    /// <summary>The same for a path that must name a stack.</summary>
    /// <exception cref="Errors.AshlarException">There is nothing of that name (ASH6027), or a folder without a stack (ASH6014).</exception>
    public static string OfStack(string current, string path) =>
        OfPath(current, path) is var folder && (Holds(folder) || File.Exists(Path.GetFullPath(path, current))) ? folder : throw CliErrors.NoStack(folder);

    /// <summary>The nearest folder upwards that holds a stack.</summary>
    /// <exception cref="Errors.AshlarException">There is none (ASH6014).</exception>
    public static string Upwards(string current)
    {
        for (var folder = current; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Holds(folder)) return folder;
        }

        throw CliErrors.NoStack(current);
    }

    /// <summary>True: the folder holds a stack file, and not only what a stack has left.</summary>
    public static bool HoldsFile(string folder) => Files.Any(file => Path.Exists(Path.Combine(folder, file)));

    private static bool Holds(string folder) => HoldsFile(folder) || Path.Exists(Path.Combine(folder, StateFolder));
}
