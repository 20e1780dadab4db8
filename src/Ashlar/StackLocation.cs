namespace Ashlar;

/// <summary>Finds the folder of the stack that a verb is about.</summary>
internal static class StackLocation
{
    /// <summary>The folder in which the stack keeps its state, beside its file.</summary>
    public const string StateFolder = ".ashlar";

    private static readonly string[] Marks = [StateFolder, "ashlar.yaml", "ashlar.yml", "Procfile"];

    /// <summary>The folder that a path names: itself, or the one that holds the file.</summary>
    /// <exception cref="Errors.AshlarException">There is nothing of that name (ASH6027).</exception>
    public static string OfPath(string current, string path)
    {
        var full = Path.GetFullPath(path, current);
        return File.Exists(full) ? Path.GetDirectoryName(full)!
            : Directory.Exists(full) ? Path.TrimEndingDirectorySeparator(full)
            : throw CliErrors.NoSuchPath(full);
    }

    /// <summary>The nearest folder upwards that holds a stack.</summary>
    /// <exception cref="Errors.AshlarException">There is none (ASH6014).</exception>
    public static string Upwards(string current)
    {
        for (var folder = current; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Marks.Any(mark => Path.Exists(Path.Combine(folder, mark)))) return folder;
        }

        throw CliErrors.NoStack(current);
    }
}
