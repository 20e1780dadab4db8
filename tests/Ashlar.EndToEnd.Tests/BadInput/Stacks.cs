using System.Net;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

/// <summary>Stacks of one service for cases in which that service does harm.</summary>
internal static class Stacks
{
    /// <summary>A web service.</summary>
    public static string Web(string run, string more = "") => $$"""
        name: bad
        services:
          web:
            run: {{Quote(run)}}
            route: /
            start: {timeout: 2s}
        {{more}}
        edge:
          listen: {http: "127.0.0.1:@PORT@"}
        """;

    /// <summary>The test app as <c>web</c>, and a worker beside it.</summary>
    public static string WithWorker(string run, string more = "") => $$"""
        name: bad
        services:
          web:
            run: "'@APP@'"
            route: /
            health: /up
          worker:
            run: {{Quote(run)}}
            stop: {grace: 1s}
        {{more}}
        edge:
          listen: {http: "127.0.0.1:@PORT@"}
        """;

    /// <summary>What the edge answers to GET; throws if it does not answer.</summary>
    public static async Task<(HttpStatusCode Status, string Body)> GetAsync(this StackRig rig, string path = "/")
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{rig.Port}{path}"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The web service answers through the edge.</summary>
    public static async Task ServesAsync(this StackRig rig, string path = "/")
    {
        var (status, body) = await rig.GetAsync(path);
        Assert.True(status == HttpStatusCode.OK, $"{status} {body}\n{rig.AgentLog()}");
    }

    /// <summary>Nothing of the stack runs, and its port is free.</summary>
    public static void IsGone(this StackRig rig)
    {
        Assert.Empty(rig.Leftovers());
        using var port = new System.Net.Sockets.TcpListener(rig.Edge);
        port.Start();
    }

    private static string Quote(string run) => $"'{run.Replace("'", "''")}'";
}
