namespace Ashlar.Testing;

/// <summary>The checkout that the tests run in, and the programs built from it.</summary>
public static class Checkout
{
    /// <summary>Its root folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The program as the launcher built it (<c>./test</c> sees to that).</summary>
    public static string Ashlar => Existing(Path.Combine(Root, ".build/ashlar/ashlar"), "./ashlar --version");

    /// <summary>The app that answers to the byte, in the same configuration as the tests.</summary>
    public static string TestApp => Existing(Path.Combine(Root, "tests/Ashlar.TestApp/bin", Configuration, "net10.0/testapp"), "dotnet build");

    private static string Configuration => AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";

    private static string Existing(string path, string remedy) =>
        File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not built; run {remedy} first.");

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Ashlar.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("The tests do not run inside a checkout.");
        }
        return folder;
    }
}
