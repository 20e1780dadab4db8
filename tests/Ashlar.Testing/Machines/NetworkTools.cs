namespace Ashlar.Testing.Machines;

/// <summary>The programs that make networks.</summary>
internal static class NetworkTools
{
    /// <summary>All that the harness starts.</summary>
    public static readonly IReadOnlyList<string> Needed = ["ip", "tc", "nft", "nsenter", "unshare", "setpriv"];

    /// <summary>Commands of <c>ip</c>, in a namespace or in this process's own.</summary>
    public static Task IpAsync(string? inside, params IEnumerable<string> commands) => RunAsync("ip", inside, ["-batch", "-"], string.Join('\n', commands) + "\n");

    /// <summary>Commands of <c>tc</c>.</summary>
    public static Task TcAsync(string inside, string command) => RunAsync("tc", inside, ["-batch", "-"], command + "\n");

    /// <summary>A file for <c>nft</c>, applied as a whole or not at all.</summary>
    public static Task NftAsync(string inside, string rules) =>
        RunAsync("nft", inside, ["-f", "-"], rules);

    /// <summary>Where a program is, also in the folders of the administrator's programs that a path may lack.</summary>
    public static string? Find(string program) => $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin:/usr/bin:/bin".Split(':')
        .Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static Task RunAsync(string program, string? inside, string[] arguments, string input) => inside is null
        ? MustAsync(Find(program)!, arguments, input)
        : MustAsync("nsenter", [$"--net={NetworkNamespace.PathOf(inside)}", Find(program)!, .. arguments], input);

    private static async Task MustAsync(string program, string[] arguments, string input)
    {
        var result = await ProgramRun.RunAsync(program, arguments, input: input);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}\n{input}{result}");
        }
    }
}
