using System.Diagnostics;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Examples;

/// <summary>A copy of the storefront, built and brought up from nothing once for all tests of a class.</summary>
public sealed class RunningStorefront : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>The stack.</summary>
    public StackRig Rig { get; } = Example.Copy("storefront");

    /// <summary>What <c>up</c> said.</summary>
    public string Said { get; private set; } = "";

    /// <inheritdoc />
    public async Task InitializeAsync()
    {
        // Six programs are compiled here, on a machine that runs other tests meanwhile.
        var up = await ProgramRun.RunAsync(Checkout.Ashlar, ["up", "--detach", "--stack", Rig.Folder], timeoutSeconds: 400);
        Said = up.ExitCode == 0 ? up.ToString() : throw new InvalidOperationException($"{up}\n{Rig.AgentLog()}");
    }

    /// <inheritdoc />
    public async Task DisposeAsync() => await Rig.DisposeAsync();

    /// <summary>Asks the primary.</summary>
    public async Task<string[]> QueryAsync(string sql)
    {
        var psql = await ProgramRun.RunAsync(Checkout.Ashlar, ["-a", Rig.Folder, "pg", "psql", "--", "-Atc", sql]);
        return psql.ExitCode == 0 ? psql.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries) : throw new InvalidOperationException($"{psql}\n{Rig.AgentLog()}");
    }

    /// <summary>Waits until the worker has packed these orders, all of which must be there.</summary>
    public async Task ArePackedAsync(IReadOnlyCollection<int> orders)
    {
        var ids = string.Join(',', orders);
        var there = (await QueryAsync($"select id from orders where id in ({ids})")).Select(int.Parse).ToHashSet();
        Assert.True(orders.All(there.Contains), $"acknowledged and lost: {string.Join(", ", orders.Where(o => !there.Contains(o)))} of {orders.Count}");
        var waited = Stopwatch.StartNew();
        string[] open;
        while ((open = await QueryAsync($"select id from orders where id in ({ids}) and status <> 'packed'")).Length > 0)
        {
            Assert.True(waited.Elapsed < Patience, $"not packed: {string.Join(", ", open)}\n{await Rig.DoAsync("logs", "worker")}");
            await Task.Delay(200);
        }
    }

    /// <summary>Waits until the back office shows this in an answer of 200.</summary>
    public Task<string> AdminShowsAsync(string text) => ShowsAsync("admin.localhost", "/", text);

    /// <summary>Waits until a page shows this in an answer of 200. (A replica that was away is asked again after two seconds.)</summary>
    public async Task<string> ShowsAsync(string host, string path, string text)
    {
        // The stack's own authority is not trusted on this machine; the back office asks who it is.
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Issuer == "CN=Ashlar local authority of storefront" } });
        http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("mason:chisel"u8));
        var address = host == "localhost" ? $"http://127.0.0.1:{Rig.Port}{path}" : $"https://127.0.0.1:{Rig.SecurePort()}{path}";
        var waited = Stopwatch.StartNew();
        while (true)
        {
            using var question = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Host = host } };
            using var answer = await http.SendAsync(question);
            var page = await answer.Content.ReadAsStringAsync();
            if (answer.IsSuccessStatusCode && page.Contains(text, StringComparison.Ordinal))
            {
                return page;
            }

            Assert.True(waited.Elapsed < Patience, $"{text} is not in {answer.StatusCode} {page}\n{await Rig.DoAsync("logs", "worker", "admin")}");
            await Task.Delay(100);
        }
    }
}
