using System.Net;
using System.Security.Cryptography;
using Ashlar.EndToEnd.BadInput;

namespace Ashlar.EndToEnd.Examples;

public sealed class GuestbookTests
{
    [Fact]
    public async Task A_PHP_application_runs_with_nothing_else_in_front()
    {
        await using var rig = Example.Copy("guestbook");
        await rig.UpAsync();
        Assert.Contains("Written by PHP", (await rig.GetAsync()).Body);
        Assert.Contains("font:", (await rig.GetAsync("/assets/book.css")).Body);
        Assert.Contains("\"REQUEST_URI\": \"/variables.php/a%20b?x=1\"", (await rig.GetAsync("/variables.php/a%20b?x=1")).Body);
        Assert.Contains("There is no page /no/such.", (await rig.GetAsync("/no/such")).Body);

        using var client = new HttpClient(new HttpClientHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://127.0.0.1:{rig.Port}/") };
        var file = RandomNumberGenerator.GetBytes(20_000_000);
        using var form = new MultipartFormDataContent { { new ByteArrayContent(file), "file", "big" } };
        var uploaded = await (await client.PostAsync(new Uri("upload", UriKind.Relative), form)).Content.ReadAsStringAsync();
        Assert.Equal($"{file.Length} {Convert.ToHexStringLower(SHA256.HashData(file))}", uploaded);
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal($"{i}", await client.GetStringAsync(new Uri("count", UriKind.Relative)));
        }

        await using var visitors = new SteadyGets($"http://127.0.0.1:{rig.Port}/", "</p>");
        rig.Edit("public/index.php", "<h1>Guest book</h1>", "<h1>Book of guests</h1>");
        await rig.UpAsync();
        Assert.Contains("<h1>Book of guests</h1>", (await rig.GetAsync()).Body);
        await visitors.NoneFailedAsync();
        await rig.DoAsync("down");
        rig.IsGone();
    }
}
