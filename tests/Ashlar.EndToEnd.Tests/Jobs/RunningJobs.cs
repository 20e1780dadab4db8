using System.Globalization;
using System.Text.Json;
using Ashlar.EndToEnd.BadInput;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Tests.Jobs;

/// <summary>The stack of these tests, up once for all of them.</summary>
public sealed class RunningJobs : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public StackRig Rig { get; } = new(JobsApp.Stack);

    public async Task InitializeAsync()
    {
        Rig.Write("app.py", JobsApp.Service);
        Rig.Write("command.py", JobsApp.Command);
        await Rig.UpAsync();
    }

    public async Task DisposeAsync() => await Rig.DisposeAsync();

    /// <summary>Has the app enqueue in a transaction; gives the job's id.</summary>
    public async Task<long> EnqueueAsync(string queue, string payload, string then = "commit")
    {
        var (status, body) = await Rig.GetAsync($"/enqueue?queue={queue}&payload={Uri.EscapeDataString(payload)}&then={then}");
        Assert.True((int)status == 200, body);
        return long.Parse(body, CultureInfo.InvariantCulture);
    }

    /// <summary>Runs a statement as the app's user; gives what psql says, or its error.</summary>
    public async Task<string> SqlAsync(string text) => (await Rig.GetAsync($"/sql?text={Uri.EscapeDataString(text)}")).Body.Trim();

    /// <summary>Runs a statement with all rights. The stack is named in front: behind <c>pg psql --</c> it would be psql's.</summary>
    public async Task<string> PsqlAsync(string text)
    {
        var result = await ProgramRun.RunAsync(Checkout.Ashlar, ["--stack", Rig.Folder, "pg", "psql", "--admin", "--", "-XAtqc", text]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output.Trim();
    }

    /// <summary>What the service and the commands got, once there are so many like this.</summary>
    public async Task<JsonElement[]> SeenAsync(Func<JsonElement, bool> which, int count, string what)
    {
        JsonElement[] found = [];
        await Until(async () =>
        {
            using var seen = JsonDocument.Parse((await Rig.GetAsync("/seen")).Body);
            found = [.. seen.RootElement.EnumerateArray().Where(which).Select(element => element.Clone())];
            return found.Length >= count;
        }, () => $"{what}: {count} times, not {found.Length}");
        return found;
    }

    /// <summary>Waits until a job has come so far.</summary>
    public Task IsAsync(long job, string state) => Until(async () =>
    {
        // While the database or the jobs process come up again, nothing is told.
        var said = await Rig.AshlarAsync("jobs", "show", $"{job}", "--json");
        return said.ExitCode == 0 && JsonElement.Parse(said.Output).GetProperty("state").GetString() == state;
    }, () => $"job {job} is {state}");

    /// <summary>SIGKILL to an instance; comes back when another runs in its place.</summary>
    public async Task KillAsync(string instance)
    {
        var before = await Rig.PidAsync(instance);
        await ProgramRun.RunAsync("kill", ["-9", before.ToString(CultureInfo.InvariantCulture)]);
        await Until(async () => await Rig.InstanceAsync(instance) is var now && now.GetProperty("state").GetString() == "Healthy"
            && now.GetProperty("pids")[0].GetInt32() != before, () => $"{instance} runs again");
    }

    /// <summary>Waits until something is so.</summary>
    public async Task Until(Func<Task<bool>> isSo, Func<string> what)
    {
        for (var began = DateTime.UtcNow; !await isSo(); await Task.Delay(50))
        {
            Assert.True(DateTime.UtcNow - began < Patience, $"Not in time: {what()}\n{(await Rig.AshlarAsync("logs", "jobs")).Output}");
        }
    }
}
