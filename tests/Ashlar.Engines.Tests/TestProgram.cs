namespace Ashlar.Engines;

/// <summary>This program as the one that becomes an engine.</summary>
internal static class TestProgram
{
    /// <summary>Absolute path of the program.</summary>
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Ashlar.Engines.Tests");

    private static async Task<int> Main(string[] arguments) => arguments is [var word, .. var rest] && EngineStart.Serves(word)
        ? await EngineStart.RunAsync(word, rest)
        : 2;
}
