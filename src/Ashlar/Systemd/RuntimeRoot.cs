using System.Runtime.InteropServices;

namespace Ashlar.Systemd;

/// <summary>Where the .NET lies that runs this program, and whether a program that is started at boot finds it there by itself.</summary>
internal static class RuntimeRoot
{
    // Where a program looks that is told nothing (docs.microsoft.com: install location of .NET).
    private static readonly string[] Defaults = ["/usr/share/dotnet", "/usr/lib/dotnet"];
    private static readonly string[] Registrations = ["/etc/dotnet/install_location_x64", "/etc/dotnet/install_location"];

    /// <summary>What DOTNET_ROOT must say; null: nothing, the program brings its runtime or finds it.</summary>
    public static string? ToBeTold() => ToBeTold(RuntimeEnvironment.GetRuntimeDirectory(), Registrations.Where(File.Exists).Select(File.ReadAllText));

    /// <inheritdoc cref="ToBeTold()"/>
    /// <param name="runtime">Folder of the runtime: <c>ROOT/shared/Microsoft.NETCore.App/10.0.1/</c>, or the program's own.</param>
    /// <param name="registered">Texts of the files that register an install location.</param>
    public static string? ToBeTold(string runtime, IEnumerable<string> registered)
    {
        var shared = Path.GetDirectoryName(Path.GetDirectoryName(runtime.TrimEnd('/')));
        if (Path.GetFileName(shared) != "shared" || Path.GetDirectoryName(shared) is not { } root) return null;

        // The first that is there is looked at alone.
        var found = registered.Select(text => text.Trim().TrimEnd('/')).Concat(Defaults.Where(Directory.Exists)).FirstOrDefault();
        return found == root ? null : root;
    }
}
