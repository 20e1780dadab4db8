namespace Ashlar.Stack;

/// <summary>A Procfile says what runs; the stack file only adds to it.</summary>
internal static class ProcfileDetector
{
    public static DetectedStack? Look(string folder)
    {
        var path = Path.Combine(folder, "Procfile");
        if (!File.Exists(path) || SourceFile.Read(path, new Report()) is not { } file)
        {
            return null;
        }

        var procfile = Procfile.Read(file, new Report());
        if (procfile.Entries.IsEmpty)
        {
            return null;
        }

        string[] reasons = ["The Procfile has the commands; a \"run:\" here would stand above it."];
        var writer = new StackWriter(folder, "Procfile", reasons);
        foreach (var entry in procfile.Entries)
        {
            if (entry.Name == "web")
            {
                writer.Service(entry.Name, ("route", "/")).Hints();
            }
            else
            {
                writer.Service(entry.Name, ("instances", "1"));
            }
        }

        return new DetectedStack("Procfile", writer.Finish(), [.. reasons]);
    }
}
