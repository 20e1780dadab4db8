using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ashlar.EndToEnd.BadInput;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Examples;

/// <summary>A large PHP application as Debian has it, with the stack file of docs/web.md.</summary>
[Trait("Length", "Full")]
public sealed partial class MediaWikiTests
{
    private const string Debian = "/usr/share/mediawiki";
    private const string Password = "correct horse battery";

    [Fact]
    public async Task MediaWiki_is_read_logged_in_to_written_and_uploaded_to_with_nothing_else_in_front()
    {
        await using var rig = new StackRig("");
        var data = Path.Combine(Path.GetDirectoryName(rig.Folder)!, "data");
        await InstallAsync(rig, data);
        await rig.UpAsync();
        using var http = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer(), MaxConnectionsPerServer = 4 }) { BaseAddress = new Uri($"http://127.0.0.1:{rig.Port}") };

        // Who asks for the root is sent to a pretty address, whose page names styles, scripts and pictures that are all there.
        using var main = await http.GetAsync(new Uri("/", UriKind.Relative));
        Assert.Equal("/wiki/Main_Page", main.RequestMessage!.RequestUri!.AbsolutePath);
        var page = await main.Content.ReadAsStringAsync();
        Assert.Contains("MediaWiki has been installed", page);
        var parts = Part().Matches(page).Select(match => WebUtility.HtmlDecode(match.Groups["url"].Value)).Distinct().ToArray();
        Assert.Contains(parts, part => part.StartsWith("/load.php", StringComparison.Ordinal));
        Assert.Contains(parts, part => part.EndsWith(".png", StringComparison.Ordinal));
        await Task.WhenAll(parts.Select(async part => Assert.True((await http.GetStringAsync(new Uri(part, UriKind.Relative))).Length > 100, part)));
        Assert.Contains("PHP", await http.GetStringAsync(new Uri("/index.php/Special:Version", UriKind.Relative)));
        Assert.Contains("\"title\":\"Main Page\"", await http.GetStringAsync(new Uri("/rest.php/v1/page/Main_Page", UriKind.Relative)));
        foreach (var closed in new[] { "/includes/WebStart.php", "/vendor/autoload.php", "/maintenance/install.php" })
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await rig.GetAsync(closed)).Status);
        }

        var welcome = await SubmitAsync(http, "/index.php?title=Special:UserLogin", [new("wpName", "Admin"), new("wpPassword", Password), new("wpRemember", "1")]);
        Assert.Contains("User:Admin", welcome);

        var written = await SubmitAsync(http, "/index.php?title=Über_%26_unter&action=edit", [new("wpTextbox1", "'''Written''' through the ''edge'': ü < &"), new("wpSave", "1")]);
        Assert.Contains("<b>Written</b> through the <i>edge</i>: ü &lt; &amp;", written);
        Assert.Contains("<b>Written</b>", (await rig.GetAsync("/wiki/%C3%9Cber_%26_unter")).Body);

        var picture = await File.ReadAllBytesAsync(Path.Combine(Debian, "resources/assets/poweredby_mediawiki_88x31.png"));
        var token = JsonElement.Parse(await http.GetStringAsync(new Uri("/api.php?action=query&meta=tokens&format=json", UriKind.Relative)))
            .GetProperty("query").GetProperty("tokens").GetProperty("csrftoken").GetString()!;
        using var form = new MultipartFormDataContent
        {
            { new StringContent("upload"), "action" }, { new StringContent("json"), "format" }, { new StringContent("Sign.png"), "filename" }, { new StringContent(token), "token" },
            { new ByteArrayContent(picture), "file", "Sign.png" },
        };
        using var uploaded = await http.PostAsync(new Uri("/api.php", UriKind.Relative), form);
        var image = JsonElement.Parse(await uploaded.Content.ReadAsStringAsync()).GetProperty("upload").GetProperty("imageinfo").GetProperty("url").GetString()!;
        Assert.Contains("/images/", image);
        Assert.Equal(picture, await http.GetByteArrayAsync(new Uri(image)));

        await rig.DoAsync("down");
        Assert.Empty(rig.Leftovers());
    }

    // What keeps data lies beside the stack; the app is in one language, without its extensions, and so a third as large.
    private static async Task InstallAsync(StackRig rig, string data)
    {
        var wiki = Path.Combine(rig.Folder, "wiki");
        var script = Path.Combine(rig.Folder, "..", "install.sh");
        await File.WriteAllTextAsync(script, $"""
            set -e
            mkdir -p {wiki}/languages/i18n {wiki}/languages/messages {data}/uploads {data}/cache
            cd {Debian}
            cp -rL index.php api.php load.php rest.php opensearch_desc.php autoload.php composer.json includes vendor resources maintenance skins {wiki}
            cd languages
            cp -r $(ls | grep -v -x -e i18n -e messages) {wiki}/languages
            cp -r i18n/en.json i18n/*/ {wiki}/languages/i18n
            cp messages/MessagesEn.php {wiki}/languages/messages
            cd {wiki}
            php maintenance/install.php --dbtype sqlite --dbpath {data} --dbname wiki --server http://127.0.0.1:{rig.Port} --scriptpath '' --pass '{Password}' Ashlar Admin
            cat >> LocalSettings.php <<'END'
            $wgArticlePath = '/wiki/$1';
            $wgCacheDirectory = '{data}/cache';
            $wgEnableUploads = true;
            $wgUploadDirectory = '{data}/uploads';
            $wgUploadPath = '/images';
            END
            ln -s {data}/uploads images
            chmod -R a+rwX {data}
            chmod -R a+rX {wiki}
            """);
        var installed = await ProgramRun.RunAsync("/bin/sh", [script]);
        Assert.True(installed.ExitCode == 0, installed.ToString());
        rig.Write("ashlar.yaml", $$"""
            name: wiki
            services:
              web:
                run: php-cgi -d upload_max_filesize=8M -b 127.0.0.1:$PORT
                interface: fastcgi
                root: wiki
                env: {PHP_FCGI_CHILDREN: 4}
                limits: {requests: 4}
            edge:
              listen: 127.0.0.1:@PORT@
              static:
                /images: {root: wiki/images, links: [{{data}}/uploads]}
              rules:
                - path: [/includes, /languages, /maintenance, /vendor]
                  deny: all
            """);
    }

    /// <summary>Opens a page with a form, and sends the form with the fields that it hides.</summary>
    private static async Task<string> SubmitAsync(HttpClient http, string url, KeyValuePair<string, string>[] fields)
    {
        var hidden = Hidden().Matches(await http.GetStringAsync(new Uri(url, UriKind.Relative))).Select(match => match.Value)
            .Select(input => KeyValuePair.Create(Name().Match(input).Groups["text"].Value, WebUtility.HtmlDecode(Value().Match(input).Groups["text"].Value)))
            .Where(field => field.Key.Length > 0 && field.Key is not ("title" or "search"));
        using var form = new FormUrlEncodedContent([.. hidden, .. fields]);
        using var answer = await http.PostAsync(new Uri(url.Replace("action=edit", "action=submit", StringComparison.Ordinal), UriKind.Relative), form);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    [GeneratedRegex("""(?:src|href)="(?<url>/(?:load\.php|resources/)[^"]*)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Part();

    [GeneratedRegex("""<input[^>]*type=["']hidden["'][^>]*>""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Hidden();

    [GeneratedRegex("""name=["'](?<text>[^"']*)["']""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Name();

    [GeneratedRegex("""value=["'](?<text>[^"']*)["']""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Value();
}
