using System.Collections.Immutable;
using System.Globalization;

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

        var formation = Formation(folder);
        string[] reasons =
        [
            "The Procfile has the commands; a \"run:\" here would stand above it.",
            .. formation.IsEmpty ? ImmutableArray<string>.Empty : ["The numbers of instances are those of app.json's formation."],
        ];
        var writer = new StackWriter(folder, "Procfile", reasons);
        foreach (var entry in procfile.Entries)
        {
            if (entry.Name == "web")
            {
                writer.Service(entry.Name, ("route", "/")).Hints(Instances(entry.Name));
            }
            else
            {
                writer.Service(entry.Name, ("instances", Instances(entry.Name)));
            }
        }

        return new DetectedStack("Procfile", writer.Finish(), [.. reasons]);

        string Instances(string service) => formation.GetValueOrDefault(service, 1).ToString(CultureInfo.InvariantCulture);
    }

    private static ImmutableSortedDictionary<string, int> Formation(string folder)
    {
        var path = Path.Combine(folder, "app.json");
        return File.Exists(path) && SourceFile.Read(path, new Report()) is { } file
            ? AppJson.Read(file, new Report()).Formation
            : ImmutableSortedDictionary<string, int>.Empty;
    }
}
