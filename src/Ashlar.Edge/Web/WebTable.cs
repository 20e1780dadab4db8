using System.Collections.Immutable;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Edge.Routing;
using Ashlar.Http.Wire;
using Ashlar.Stack;

namespace Ashlar.Edge.Web;

/// <summary>All that the edge does as a web server, by one snapshot. Immutable; folders and rate limits live on where they stay the same.</summary>
internal sealed class WebTable
{
    private const int LargestPage = 256 * 1024;

    private readonly WebRule[] _rules;
    private readonly StaticMount[] _mounts;
    private readonly ImmutableSortedDictionary<string, string> _pages;

    private WebTable(WebRule[] rules, StaticMount[] mounts, ImmutableSortedDictionary<string, string> pages, AddressList trusted, string realm)
    {
        _rules = rules;
        _mounts = mounts;
        _pages = pages;
        Trusted = trusted;
        Realm = realm;
    }

    /// <summary>Proxies whose word on the client counts.</summary>
    public AddressList Trusted { get; }

    /// <summary>What a password is for where its rule does not say.</summary>
    public string Realm { get; }

    public ReadOnlySpan<WebRule> Rules => _rules;

    /// <summary>The longest path of a folder that covers a request, at least as long as a service's.</summary>
    public StaticMount? MountFor(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, int routeLength)
    {
        host = HostName.Strip(host);
        foreach (var mount in _mounts)
        {
            if (mount.Covers(host, path))
            {
                return mount.Prefix.Length >= routeLength ? mount : null;
            }
        }

        return null;
    }

    /// <summary>The team's page for a problem; null: there is none.</summary>
    public string? PageFor(HttpProblem problem)
    {
        if (_pages.IsEmpty)
        {
            return null;
        }

        return problem == HttpProblem.Maintenance && _pages.TryGetValue("maintenance", out var page) ? page
            : _pages.TryGetValue(problem.Status.ToString(System.Globalization.CultureInfo.InvariantCulture), out page) ? page
            : _pages.GetValueOrDefault(problem.Status >= 500 ? "5xx" : "4xx");
    }

    /// <summary>The table of a snapshot; null: nothing is asked of the web server.</summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="before">The table before it.</param>
    public static WebTable? Build(CatalogSnapshot snapshot, WebTable? before)
    {
        if (snapshot.Web is not { } web)
        {
            return null;
        }

        var mounts = web.Static.Select(item => new StaticMount(
            item.Host is null ? null : Encoding.ASCII.GetBytes(item.Host), Encoding.UTF8.GetBytes(item.Path.TrimEnd('/')), FolderOf(item, snapshot.Folder, before)));
        return new WebTable(
            [.. web.Rules.Select(rule => new WebRule(rule, before?.RateOf(rule)))],
            [.. mounts.OrderByDescending(mount => mount.Host is not null).ThenByDescending(mount => mount.Prefix.Length)],
            Pages(web, snapshot.Folder), new AddressList(web.TrustedProxies), snapshot.Stack);
    }

    private RateTable? RateOf(RuleDefinition rule) =>
        Array.Find(_rules, other => other.Rate is not null && other.Definition.Rate == rule.Rate && other.Definition.Paths.SequenceEqual(rule.Paths))?.Rate;

    private static StaticFolder FolderOf(StaticDefinition item, string release, WebTable? before)
    {
        var folder = Path.Combine(release, item.Folder);
        ImmutableArray<string> links = [.. item.Links.Select(link => Path.Combine(release, link))];
        return Array.Find(before?._mounts ?? [], mount => mount.Folder.Is(folder, item.TryFiles, item.Immutable, links))?.Folder
            ?? new StaticFolder(folder, item.TryFiles, item.Immutable, links);
    }

    private static ImmutableSortedDictionary<string, string> Pages(WebDefinition web, string release)
    {
        var pages = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, file) in web.Pages)
        {
            try
            {
                var path = Path.Combine(release, file);
                if (new FileInfo(path).Length <= LargestPage)
                {
                    pages[name] = File.ReadAllText(path);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Without it the edge has one of its own.
            }
        }

        return pages.ToImmutable();
    }
}
