using Ashlar.EndToEnd.BadInput;

namespace Ashlar.EndToEnd.Examples;

public sealed class HelloProcfileTests
{
    [Fact]
    public async Task A_Procfile_is_served_edited_and_scaled_without_a_failed_request()
    {
        await using var rig = Example.Copy("hello-procfile");
        await rig.UpAsync();
        Assert.Contains("Laid by <code>web.1</code> in release <code>v1</code>", (await rig.GetAsync()).Body);
        Assert.Contains("worker.1 begins", await rig.DoAsync("logs", "worker"));

        await using var visitors = new SteadyGets($"http://127.0.0.1:{rig.Port}/");
        rig.Edit("web.py", "<h1>Hello</h1>", "<h1>Welcome</h1>");
        await rig.UpAsync();
        Assert.Contains("<h1>Welcome</h1>", (await rig.GetAsync()).Body);
        await rig.DoAsync("scale", "web=3");
        await rig.DoAsync("restart", "web");
        await rig.DoAsync("rollback");
        Assert.Contains("<h1>Hello</h1>", (await rig.GetAsync()).Body);
        await visitors.NoneFailedAsync();
        await rig.DoAsync("down");
        rig.IsGone();
    }
}
