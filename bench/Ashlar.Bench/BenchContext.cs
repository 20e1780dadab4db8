using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ashlar.Bench;

/// <summary>What a benchmark found: rows of the table as they were printed, raw samples, and the ratios that matter.</summary>
internal sealed record Outcome(IReadOnlyDictionary<string, double> Pairs, IReadOnlyDictionary<string, double[]> Samples, IReadOnlyDictionary<string, string> Versions);

/// <summary>Where a benchmark runs: the checkout, a folder of its own, free ports, processes that end with it.</summary>
internal sealed class BenchContext(string root, string name, bool quick) : IDisposable
{
    private readonly List<Process> _processes = [];
    private readonly string _load = LoadAverages();

    public bool Quick => quick;

    public string Root => root;

    public string Ashlar => Path.Combine(root, ".build/ashlar/ashlar");

    public string EdgeHost => Path.Combine(root, ".build/bench/EdgeHost/Ashlar.Bench.EdgeHost.dll");

    public string TestApp => Path.Combine(root, ".build/bench/TestApp/testapp");

    public string Folder { get; } = MakeFolder();

    /// <summary>The user an agent run as root drops to must be able to read what lies here.</summary>
    private static string MakeFolder()
    {
        var folder = Directory.CreateTempSubdirectory("ashlar-bench-").FullName;
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        return folder;
    }

    private static string LoadAverages() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3));

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public string Write(string relative, string text)
    {
        var path = Path.Combine(Folder, relative);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Starts a server that stays until the benchmark ends, and waits until it listens.</summary>
    public async Task<Process> StartAsync(int port, string program, params string[] arguments)
    {
        var log = Path.Combine(Folder, $"{Path.GetFileName(program)}-{port}.log");
        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", "exec \"$@\" >\"$0\" 2>&1", log, program } };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        var process = Process.Start(start)!;
        _processes.Add(process);
        var clock = Stopwatch.StartNew();
        while (!await AnswersAsync(port))
        {
            if (process.HasExited || clock.Elapsed > TimeSpan.FromSeconds(20))
            {
                throw new InvalidOperationException($"{program} does not listen on {port}: {File.ReadAllText(log)}");
            }
            await Task.Delay(20);
        }
        return process;
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Runs a program to its end; its output, or its error if it fails.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} exits with {process.ExitCode}: {await error}{output}");
    }

    public static async Task<string> VersionAsync(string program, string flag)
    {
        using var process = Process.Start(new ProcessStartInfo(program, [flag]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return text.Split('\n')[0].Trim();
    }

    /// <summary>Raw results, kept beside the others under <c>bench/results</c>.</summary>
    public void Save(Outcome outcome)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, "bench/results")).FullName;
        var path = Path.Combine(folder, $"{name}{(quick ? "-quick" : "")}.json");
        var result = new
        {
            benchmark = name,
            quick,
            time = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ"),
            cores = Environment.ProcessorCount,
            // What else the machine did: averages over 1, 5 and 15 minutes before the first part began.
            load = _load,
            kernel = RuntimeInformation.OSDescription,
            dotnet = RuntimeInformation.FrameworkDescription,
            outcome.Versions,
            outcome.Pairs,
            outcome.Samples,
        };
        File.WriteAllText(path, JsonSerializer.Serialize(result, s_json) + "\n");
    }

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
            }
            process.Dispose();
        }
        Directory.Delete(Folder, recursive: true);
    }
}
