using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>Loads a stack from a folder or file: <c>ashlar.yaml</c>, <c>Procfile</c>, <c>app.json</c>, <c>.env</c>.</summary>
public static class StackLoader
{
    private static readonly string[] StackFileNames = ["ashlar.yaml", "ashlar.yml"];

    /// <summary>Loads the stack and says everything that is wrong with it at once. Never throws for what the files hold.</summary>
    /// <param name="path">The app's folder, its stack file, or a Procfile.</param>
    public static StackLoadResult Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var report = new Report();
        var sources = Find(path, report);
        var stack = sources is null ? null : Read(sources, report);
        return new StackLoadResult(report.HasErrors ? null : stack, [.. report.InOrder()]) { Places = report.Places };
    }

    private sealed record Sources(string Folder, string? StackFile, string? Procfile);

    private static Sources? Find(string path, Report report)
    {
        if (Directory.Exists(path))
        {
            return InFolder(path, report);
        }

        if (!Path.Exists(path))
        {
            report.Add(StackErrors.NoSuchPath(path));
            return null;
        }

        var folder = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".";
        return Path.GetFileName(path).StartsWith("Procfile", StringComparison.Ordinal)
            ? new Sources(folder, null, path)
            : new Sources(folder, path, Beside(folder, "Procfile"));
    }

    private static Sources? InFolder(string folder, Report report)
    {
        var files = StackFileNames.Select(n => Path.Combine(folder, n)).Where(Path.Exists).ToList();
        var procfile = Path.Combine(folder, "Procfile");
        var hasProcfile = Path.Exists(procfile);
        if (files.Count == 0 && !hasProcfile)
        {
            var isNamedLikeAFile = Path.GetExtension(folder.TrimEnd('/')) is ".yaml" or ".yml";
            report.Add(isNamedLikeAFile ? StackErrors.IsDirectory(folder) : StackErrors.NoStackFile(folder));
            return null;
        }

        if (files.Count == 2)
        {
            report.Add(StackErrors.TwoStackFiles(files[1], files[0]));
        }

        return new Sources(folder, files.FirstOrDefault(), hasProcfile ? procfile : null);
    }

    private static StackDefinition? Read(Sources sources, Report report)
    {
        var folder = Native.RealPath(sources.Folder);
        var stackFile = Source(sources.StackFile, report);
        var written = stackFile is null ? StackFile.None : StackFileReader.Read(stackFile, folder, report);
        var procfile = Source(sources.Procfile, report) is { } p ? Procfile.Read(p, report) : null;
        var app = Source(Beside(sources.Folder, "app.json"), report) is { } a ? AppJson.Read(a, report) : new AppJson();
        var dotEnv = Source(Beside(sources.Folder, ".env"), report) is { } e
            ? DotEnv.Read(e, report)
            : ImmutableSortedDictionary<string, string>.Empty;
        return StackAssembly.Join(folder, sources.StackFile ?? sources.Procfile!, written, procfile, app, dotEnv, report);
    }

    private static SourceFile? Source(string? path, Report report) => path is null ? null : SourceFile.Read(path, report);

    private static string? Beside(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return Path.Exists(path) ? path : null;
    }
}
