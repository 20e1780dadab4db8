using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>Reads what the web server is told.</summary>
internal static partial class WebReader
{
    private const int LongestExpression = 1000;

    /// <summary>The keys below <c>edge</c>.</summary>
    public static WebDefinition Read(Section? s, Report report) => s is null ? new() : new WebDefinition
    {
        Static = [.. s.NamedMaps("static", "root").Select(entry => Static(entry.Name, entry.Map, report)).OfType<StaticDefinition>()],
        Rules = [.. s.Maps("rules").Select(rule => Rule(rule, report))],
        Pages = Pages(s, report),
        TrustedProxies = Addresses(s, "trusted_proxies", report),
    };

    /// <summary>A folder below the section's own, without <c>./</c> before it and a slash behind it; it need not exist before the build.</summary>
    public static string? Folder(Section s, string key, Report report)
    {
        if (s.Text(key, expected: "a subfolder") is not { } written)
        {
            return null;
        }

        if (FolderProblem(written, out var folder) is { } problem)
        {
            report.Add(StackErrors.BadDirectory(s.Place(key), s.Full(key), $"\"{written}\"", problem));
            return null;
        }

        return folder;
    }

    public static ImmutableArray<string> TryFiles(Section s, Report report)
    {
        var texts = s.Texts("try_files") ?? [];
        foreach (var text in texts.Where(text => !TryPattern().IsMatch(text.Text)))
        {
            report.Add(StackErrors.BadValue(text.At, s.Full("try_files"), text.Kind, "$uri, $uri/, $uri.html, a path such as /index.php, or =404", null));
        }

        foreach (var text in texts.SkipLast(1).Where(text => text.Text.Length > 0 && text.Text[0] != '$'))
        {
            report.Add(StackErrors.BadValue(text.At, s.Full("try_files"), $"{text.Kind} before others", "a path or =404 at the end only", null));
        }

        return [.. texts.Select(text => text.Text)];
    }

    private static string? FolderProblem(string written, out string folder)
    {
        folder = Path.GetRelativePath("/stack", Path.GetFullPath(Path.Combine("/stack", written)));
        return Path.IsPathRooted(written) ? "it is absolute"
            : folder == ".." || folder.StartsWith("../", StringComparison.Ordinal) ? "it leads out of the stack's folder"
            : folder == "." ? "it is the whole folder, with all sources in it"
            : folder.Split('/').Any(static part => part.StartsWith('.')) ? "files that begin with a dot are never served"
            : null;
    }

    private static StaticDefinition? Static(ScalarNode at, Section s, Report report)
    {
        if (RouteText.Parse(at.Text, out var problem) is not { } route)
        {
            report.Add(StackErrors.BadRoute(at.At, "edge.static", at.Kind, problem!));
            return null;
        }

        if (!s.Has("root") && !report.HasErrors)
        {
            report.Add(StackErrors.BadValue(s.At, s.Full("root"), "nothing", "a folder of the stack", null));
        }

        return Folder(s, "root", report) is not { } folder ? null : new StaticDefinition(route.Host, route.PathPrefix, folder)
        {
            TryFiles = TryFiles(s, report),
            Immutable = s.Boolean("immutable") ?? false,
            Links = [.. (s.Texts("links") ?? []).Select(link => link.Text)],
        };
    }

    private static RuleDefinition Rule(Section s, Report report)
    {
        var rule = new RuleDefinition
        {
            Host = s.Text("host", text => RouteText.HostProblem(text) is null, "a host name such as www.example.com")?.ToLowerInvariant(),
            Paths = Paths(s, report),
            Match = Expression(s, report),
            Redirect = s.Text("redirect", IsTarget, "a path such as /new, or an URL such as https://example.com/new"),
            Status = s.Integer("status") ?? 0,
            Rewrite = s.Text("rewrite", text => text[0] == '/' && IsTarget(text), "a path such as /new"),
            Deny = Addresses(s, "deny", report, all: true),
            Allow = Addresses(s, "allow", report),
            Auth = Auth(s.Map("auth"), report),
            Headers = Headers(s, report),
            Rate = Rate(s, report),
        };
        if (s.Map("limits") is { } limits)
        {
            rule = rule with { MaxBody = limits.Bytes("body"), MaxHead = limits.Bytes("head"), Timeout = limits.Time("timeout") };
        }

        int[] statuses = rule.Redirect is not null ? [301, 302, 303, 307, 308] : [403, 404, 410];
        if (rule.Status != 0 && !statuses.Contains(rule.Status))
        {
            report.Add(StackErrors.BadValue(s.Place("status"), s.Full("status"), $"{rule.Status}", $"{string.Join(", ", statuses)} here", null));
        }

        return rule;
    }

    private static ImmutableArray<string> Paths(Section s, Report report)
    {
        var paths = ImmutableArray.CreateBuilder<string>();
        foreach (var text in s.Texts("path") ?? [])
        {
            if (text.Text.Length is 0 or > LongestExpression || text.Text[0] != '/' || text.Text.AsSpan().ContainsAny(" ?#") || text.Text.Split('/').Contains(".."))
            {
                report.Add(StackErrors.BadValue(text.At, s.Full("path"), text.Kind, "a path such as /admin or /**.bak", null));
            }
            else
            {
                paths.Add(text.Text);
            }
        }

        return paths.ToImmutable();
    }

    private static string? Expression(Section s, Report report)
    {
        if (s.Text("match", text => text.Length <= LongestExpression, "a regular expression of at most 1,000 characters") is not { } text)
        {
            return null;
        }

        try
        {
            // Time in proportion to the path, whatever the expression: back-references and look-around are what that costs.
            _ = new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return text;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            report.Add(StackErrors.BadValue(
                s.Place("match"), s.Full("match"), "no regular expression that takes linear time", "one without back-references and look-around", null));
            return null;
        }
    }

    private static bool IsTarget(string text) => text.Length > 0 && !text.Any(c => c is <= ' ' or >= (char)127 or '#');

    private static ImmutableArray<string> Addresses(Section s, string key, Report report, bool all = false)
    {
        var addresses = ImmutableArray.CreateBuilder<string>();
        foreach (var text in s.Texts(key) ?? [])
        {
            if ((all && text.Text == "all") || IPNetwork.TryParse(text.Text, out _) || IPAddress.TryParse(text.Text, out _))
            {
                addresses.Add(text.Text);
            }
            else
            {
                report.Add(StackErrors.BadValue(text.At, s.Full(key), text.Kind, $"an address such as 10.0.0.7 or a network such as 10.0.0.0/8{(all ? ", or all" : "")}", null));
            }
        }

        return addresses.ToImmutable();
    }

    private static AuthDefinition? Auth(Section? s, Report report)
    {
        if (s is null)
        {
            return null;
        }

        var users = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in s.Named("users") ?? [])
        {
            // What stands there may be the password itself: it is never repeated.
            if (value is ScalarNode { IsNull: false } hash && hash.Text.StartsWith('$') && !name.Text.Contains(':'))
            {
                users[name.Text] = hash.Text;
            }
            else
            {
                report.Add(StackErrors.BadValue(value.At, s.Full("users." + name.Text), "no hash", "a hash such as `openssl passwd -6` prints", null));
            }
        }

        var auth = new AuthDefinition
        {
            Realm = s.Text("realm", text => !text.Any(c => c is < ' ' or '"' or '\\' or > '~'), "text without quotes"),
            Users = users.ToImmutable(),
            Config = s.Text("config", Names.IsVariable, "the name of a config var"),
        };
        if (auth.Users.IsEmpty && auth.Config is null && !report.HasErrors)
        {
            report.Add(StackErrors.BadValue(s.At, s.Full("users"), "nothing", "users with their hashes, or config with the name of a config var", null));
        }

        return auth;
    }

    private static ImmutableSortedDictionary<string, string> Headers(Section s, Report report)
    {
        var headers = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in s.Named("headers") ?? [])
        {
            string[] framing = ["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "te", "date"];
            var isName = name.Text.Length > 0 && name.Text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && !framing.Contains(name.Text.ToLowerInvariant());
            if (isName && value is ScalarNode scalar && !scalar.Text.Any(c => c is < ' ' or > '~'))
            {
                headers[name.Text] = scalar.IsNull ? "" : scalar.Text.Trim();
            }
            else
            {
                report.Add(StackErrors.BadValue(
                    isName ? value.At : name.At, s.Full("headers"), isName ? value.Kind : name.Kind,
                    isName ? "text in one line, of ASCII" : "the name of a field that does not frame the answer", null));
            }
        }

        return headers.ToImmutable();
    }

    private static RateDefinition? Rate(Section s, Report report)
    {
        if (s.Node("rate") is ScalarNode)
        {
            if (s.Text("rate", text => RatePattern().IsMatch(text), "requests/time such as 100/1m") is not { } text)
            {
                return null;
            }

            var parts = text.Split('/');
            var time = char.IsAsciiDigit(parts[1][0]) ? parts[1] : "1" + parts[1];
            var isRate = Duration.TryParse(time, out var per, out _) && per > TimeSpan.Zero && parts[0].Trim('0').Length > 0;
            if (!isRate)
            {
                report.Add(StackErrors.BadValue(s.Place("rate"), s.Full("rate"), $"\"{text}\"", "requests/time such as 100/1m", null));
            }

            return isRate ? new RateDefinition(int.Parse(parts[0], CultureInfo.InvariantCulture), per) : null;
        }

        if (s.Map("rate") is not { } map)
        {
            return null;
        }

        if (map.Integer("requests") is not { } requests)
        {
            if (!map.Has("requests"))
            {
                report.Add(StackErrors.BadValue(map.At, map.Full("requests"), "nothing", "a whole number from 1 to 1000000", null));
            }

            return null;
        }

        return new RateDefinition(requests, map.Time("per") ?? TimeSpan.FromSeconds(1)) { Burst = map.Integer("burst") ?? 0, By = map.Text("by") };
    }

    private static ImmutableSortedDictionary<string, string> Pages(Section s, Report report)
    {
        var pages = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in s.Named("pages") ?? [])
        {
            if (!PagePattern().IsMatch(name.Text))
            {
                report.Add(StackErrors.BadValue(name.At, "edge.pages", name.Kind, "a status such as 404, 4xx, 5xx, or maintenance", null));
            }
            else if (value is not ScalarNode { IsNull: false } file || FolderProblem(file.Text, out var path) is not null)
            {
                report.Add(StackErrors.BadValue(value.At, $"edge.pages.{name.Text}", value.Kind, "a file of the stack such as pages/404.html", null));
            }
            else
            {
                pages[name.Text] = path;
            }
        }

        return pages.ToImmutable();
    }

    [GeneratedRegex(WebKeys.TryPattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex TryPattern();

    [GeneratedRegex(WebKeys.RatePattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex RatePattern();

    [GeneratedRegex("^([45][0-9][0-9]|[45]xx|maintenance)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex PagePattern();
}
