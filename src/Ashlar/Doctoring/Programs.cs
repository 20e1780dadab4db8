using System.Buffers;

namespace Ashlar.Doctoring;

/// <summary>Programs on the PATH, and the Debian packages that bring them.</summary>
internal static class Programs
{
    private static readonly Dictionary<string, string> Packages = new(StringComparer.Ordinal)
    {
        ["python3"] = "python3",
        ["python"] = "python-is-python3",
        ["pip"] = "python3-pip",
        ["pip3"] = "python3-pip",
        ["gunicorn"] = "gunicorn",
        ["uvicorn"] = "uvicorn",
        ["celery"] = "celery",
        ["node"] = "nodejs",
        ["npm"] = "npm",
        ["npx"] = "npm",
        ["yarn"] = "yarnpkg",
        ["php"] = "php-cli",
        ["php-fpm"] = "php-fpm",
        ["composer"] = "composer",
        ["ruby"] = "ruby",
        ["bundle"] = "ruby-bundler",
        ["rake"] = "rake",
        ["java"] = "default-jre-headless",
        ["go"] = "golang-go",
        ["make"] = "make",
        ["git"] = "git",
        ["bash"] = "bash",
        ["dotnet"] = "dotnet-sdk-10.0",
    };

    /// <summary>Path of a program on our own PATH, or null: of what Ashlar itself starts.</summary>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin").Split(':')
        .Concat(["/usr/sbin", "/sbin"]).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>The package that brings a program, or null.</summary>
    public static string? PackageOf(string name) => Packages.GetValueOrDefault(name);

    /// <summary>The program that a command line starts, without assignments before it; null if only a shell can tell.</summary>
    public static string? Of(string commandLine)
    {
        var words = commandLine.Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries).SkipWhile(IsAssignment)
            .SkipWhile(word => word == "exec");
        var first = words.FirstOrDefault()?.Trim('\'', '"');
        return first is null || first.AsSpan().ContainsAny(ShellSigns) || IsBuiltIn(first) ? null : first;
    }

    private static bool IsAssignment(string word) =>
        word.IndexOf('=') is > 0 and var equals && word.AsSpan(0, equals).IndexOfAnyExcept(Letters) < 0;

    private static bool IsBuiltIn(string word) => word is "cd" or "test" or "[" or "if" or "for" or "while" or "echo" or "export" or "set" or "." or "true" or ":";

    private static readonly SearchValues<char> ShellSigns = SearchValues.Create("|&;<>()$`*?{}!");

    private static readonly SearchValues<char> Letters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}
