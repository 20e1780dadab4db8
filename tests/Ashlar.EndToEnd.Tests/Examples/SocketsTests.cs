using Ashlar.EndToEnd.BadInput;

namespace Ashlar.EndToEnd.Examples;

public sealed class SocketsTests
{
    [Fact]
    public async Task Python_and_Ruby_serve_on_Unix_sockets_beside_files_and_rules()
    {
        await using var rig = Example.Copy("sockets");
        await rig.UpAsync();
        Assert.Matches(@"^/page by web\.\d on web\.\d-\d+\.sock$", (await rig.GetAsync("/page")).Body.Trim());
        Assert.Contains("at /clock", (await rig.GetAsync("/clock")).Body);
        Assert.Contains("<h1>Files</h1>", (await rig.GetAsync("/files/")).Body);
        Assert.Equal(404, (int)(await rig.GetAsync("/files/drafts/plan.txt")).Status);
        Assert.Equal(404, (int)(await rig.GetAsync("/files/nothing")).Status);

        await using var visitors = new SteadyGets($"http://127.0.0.1:{rig.Port}/page", ".sock");
        await rig.DoAsync("restart", "web");
        await visitors.NoneFailedAsync();
        Assert.Single(Directory.GetFiles(Path.Combine(rig.Folder, ".ashlar/run"), "web.1-*.sock"));
        await rig.DoAsync("down");
        rig.IsGone();
    }
}
