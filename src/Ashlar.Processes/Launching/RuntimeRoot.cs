using System.Runtime.InteropServices;

namespace Ashlar.Processes;

/// <summary>Where the .NET lies that runs this program, and whether a program that is started at boot finds it there by itself.</summary>
public static class RuntimeRoot
{
    // Where a program looks that is told nothing (docs.microsoft.com: install location of .NET).
    private static readonly string[] Defaults = ["/usr/share/dotnet", "/usr/lib/dotnet"];
    private static readonly string[] Registrations = ["/etc/dotnet/install_location_x64", "/etc/dotnet/install_location"];

    /// <summary>Its folder; null: the program brings its runtime.</summary>
    public static string? Present => Of(RuntimeEnvironment.GetRuntimeDirectory());

    /// <summary>What DOTNET_ROOT must say; null: nothing, the program brings its runtime or finds it.</summary>
    public static string? ToBeTold() => ToBeTold(Present, Registrations.Where(File.Exists).Select(File.ReadAllText));

    /// <inheritdoc cref="ToBeTold()"/>
    /// <param name="root">Folder of .NET; null: the program brings its runtime.</param>
    /// <param name="registered">Texts of the files that register an install location.</param>
    public static string? ToBeTold(string? root, IEnumerable<string> registered)
    {
        // The first that is there is looked at alone.
        var found = registered.Select(text => text.Trim().TrimEnd('/')).Concat(Defaults.Where(Directory.Exists)).FirstOrDefault();
        return found == root ? null : root;
    }

    /// <summary>The folder of .NET that a runtime belongs to; null: it lies beside a program that is its own.</summary>
    /// <param name="runtime">Folder of the runtime: <c>ROOT/shared/Microsoft.NETCore.App/10.0.1/</c>, or the program's own.</param>
    public static string? Of(string runtime)
    {
        var shared = Path.GetDirectoryName(Path.GetDirectoryName(runtime.TrimEnd('/')));
        return Path.GetFileName(shared) == "shared" ? Path.GetDirectoryName(shared) : null;
    }
}
