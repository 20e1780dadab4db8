using System.Text.Json;

namespace Ashlar.Testing;

/// <summary>What rigs find in a stack's folder and in what its verbs say.</summary>
internal static class StackFolder
{
    /// <summary>Copies the test app to where a service user may read it, however the checkout lies.</summary>
    /// <returns>The program.</returns>
    public static string CopyApp(string parent, string app)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, "app")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(app)!))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
        return Path.Combine(folder, "testapp");
    }

    /// <summary>An instance as <c>ps --json</c> shows it.</summary>
    public static JsonElement Instance(string json, string name)
    {
        using var status = JsonDocument.Parse(json);
        return Instances(status.RootElement).First(i => i.GetProperty("name").GetString() == name).Clone();
    }

    /// <summary>The end of the agent's log, for messages of failed tests.</summary>
    public static string AgentLog(string folder)
    {
        var path = Path.Combine(folder, ".ashlar/logs/agent.log");
        return File.Exists(path) ? string.Join('\n', File.ReadLines(path).TakeLast(60)) : "(no agent log)";
    }

    private static IEnumerable<JsonElement> Instances(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object when element.TryGetProperty("pids", out _) => [element],
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Instances(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Instances),
        _ => [],
    };
}
