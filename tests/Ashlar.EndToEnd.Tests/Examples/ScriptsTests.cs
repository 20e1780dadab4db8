using System.Net;
using Ashlar.EndToEnd.BadInput;

namespace Ashlar.EndToEnd.Examples;

public sealed class ScriptsTests
{
    [Fact]
    public async Task Scripts_in_shell_and_Python_run_for_each_request()
    {
        await using var rig = Example.Copy("scripts");
        await rig.UpAsync();
        Assert.Contains("<h1>It is ", (await rig.GetAsync("/")).Body);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://127.0.0.1:{rig.Port}") };
        using var louder = await http.PostAsync(new Uri("/upper.py", UriKind.Relative), new FormUrlEncodedContent([new("text", "hello <you>")]));
        Assert.Contains("<h1>HELLO &lt;YOU&gt;</h1>", await louder.Content.ReadAsStringAsync());
        using var away = await http.GetAsync(new Uri("/upper.py", UriKind.Relative));
        Assert.Equal((HttpStatusCode.SeeOther, "/"), (away.StatusCode, away.Headers.Location?.ToString()));
        Assert.Equal(404, (int)(await rig.GetAsync("/nothing")).Status);
        Assert.Contains("127.0.0.1 asked", await rig.DoAsync("logs", "web"));

        // A release replaces the scripts, and no request fails.
        await using var visitors = new SteadyGets($"http://127.0.0.1:{rig.Port}/", "</form>");
        rig.Edit("cgi/index.cgi", "It is", "Now it is");
        await rig.DoAsync("up", "--detach");
        await visitors.NoneFailedAsync();
        Assert.Contains("<h1>Now it is ", (await rig.GetAsync("/")).Body);
        await rig.DoAsync("down");
        rig.IsGone();
    }
}
