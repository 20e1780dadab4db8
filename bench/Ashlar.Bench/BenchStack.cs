using System.Text.Json;

namespace Ashlar.Bench;

/// <summary>A stack of Ashlar's, up in a folder of its own.</summary>
internal sealed class BenchStack(BenchContext context, string folder) : IAsyncDisposable
{
    public static async Task<BenchStack> UpAsync(BenchContext context, string folder)
    {
        await BenchContext.RunAsync(context.Ashlar, "up", "--detach", Path.Combine(context.Folder, folder));
        return new BenchStack(context, Path.Combine(context.Folder, folder));
    }

    /// <summary>Pids of an instance (<c>edge.1</c>), or of the agent.</summary>
    public async Task<int> PidAsync(string instance)
    {
        using var status = JsonDocument.Parse(await BenchContext.RunAsync(context.Ashlar, "ps", "--json", "--stack", folder));
        return Find(status.RootElement, instance) ?? throw new InvalidOperationException($"{instance} is not in ps");
    }

    private static int? Find(JsonElement element, string instance)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            if (element.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String && name.GetString() == instance
                && element.TryGetProperty("pids", out var pids) && pids.GetArrayLength() > 0)
            {
                return pids[0].GetInt32();
            }
            return element.EnumerateObject().Select(p => Find(p.Value, instance)).FirstOrDefault(p => p is not null);
        }
        return element.ValueKind == JsonValueKind.Array ? element.EnumerateArray().Select(e => Find(e, instance)).FirstOrDefault(p => p is not null) : null;
    }

    /// <summary>The dashboard's address with its token.</summary>
    public async Task<string> DashboardAsync() => (await BenchContext.RunAsync(context.Ashlar, "dashboard", "--stack", folder)).Trim();

    /// <summary>How many processes run, Ashlar's own among them.</summary>
    public async Task<int> ProcessesAsync()
    {
        using var status = JsonDocument.Parse(await BenchContext.RunAsync(context.Ashlar, "ps", "--json", "--stack", folder));
        return Count(status.RootElement);

        static int Count(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().Sum(p => p.NameEquals("pids") ? p.Value.GetArrayLength() : Count(p.Value)),
            JsonValueKind.Array => element.EnumerateArray().Sum(Count),
            _ => 0,
        };
    }

    /// <summary>Runs a verb on the stack; what it says.</summary>
    public Task<string> RunAsync(params string[] words) => BenchContext.RunAsync(context.Ashlar, [.. words, "--stack", folder]);

    public Task ScaleAsync(string service, int count) => BenchContext.RunAsync(context.Ashlar, "scale", $"{service}={count}", "--stack", folder);

    public async ValueTask DisposeAsync() => await BenchContext.RunAsync(context.Ashlar, "down", "--stack", folder);
}
