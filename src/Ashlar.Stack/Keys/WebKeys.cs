namespace Ashlar.Stack;

/// <summary>The keys of the web server and of the gateways.</summary>
internal static class WebKeys
{
    /// <summary>What try_files takes.</summary>
    public const string TryPattern = @"^(\$uri[^\s]*|/[^\s?#]*|=[45][0-9][0-9])$";

    /// <summary>A rate in one word: <c>100/1m</c>.</summary>
    public const string RatePattern = @"^[0-9]{1,6}/[0-9]*(ms|s|m|h)$";

    private const string PagePattern = "^([45][0-9][0-9]|[45]xx|maintenance)$";
    private const string AddressPattern = "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$";
    private const string FieldPattern = "^[A-Za-z0-9-]+$";

    private static readonly StackKey TryFiles = new(
        "try_files", new TextsShape(TryPattern, OrOne: true),
        "What a path may be in the root, tried in turn: $uri (the file), $uri/ (the folder's index file), $uri.html, at last a path that stands for all others (/index.php, /index.html), or =404.");

    /// <summary>Those of a service.</summary>
    public static readonly StackKey[] OfService =
    [
        new("endpoint", new ChoiceShape(["port", "socket"]), "Where it serves: the TCP port in PORT, or the Unix socket whose path is in SOCKET.", "port"),
        new("root", new TextShape("^[^/]"), "Folder, below the service's own, whose files the edge serves itself; scripts in it are for a fastcgi service. Of a cgi service: the folder with its scripts, whose files are run and never shown."),
        TryFiles,
    ];

    private static readonly MapShape Static = new(
        [
            new("root", new TextShape("^[^/]"), "The folder, relative to the stack's."),
            TryFiles,
            new("immutable", new BooleanShape(), "Whether names carry a hash of what is in the file, so that clients keep it for a year and ask no more.", "false"),
            new("links", new TextsShape("^.", OrOne: true), "Folders outside it that symbolic links in it may lead into."),
        ],
        Short: new TextShape("^[^/]"));

    private static readonly MapShape Auth = new(
        [
            new("realm", new TextShape(), "What the password is for, as a browser shows it. Without one, the stack's name."),
            new("users", new NamedShape("^[^:\\s]+$", new TextShape(@"^\$")), "Hashes of the passwords by name, as openssl passwd -6, htpasswd -B or mkpasswd print them."),
            new("config", new TextShape(Names.VariablePattern), "Config var with further users: name:hash, separated by spaces or lines."),
        ]);

    private static readonly MapShape RuleLimits = new(
        [
            new("body", new SizeShape(0, 1L << 50), "Largest body of a request; beyond it 413."),
            new("head", new SizeShape(256, 32 << 10), "Largest head of a request; beyond it 431."),
            new("timeout", new DurationShape(TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(24)), "Time until an answer begins; then 504.", "1m"),
        ]);

    private static readonly MapShape Rate = new(
        [
            new("requests", new IntegerShape(1, 1_000_000), "Requests in the time of per."),
            new("per", new DurationShape(TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(24)), "The time.", "1s"),
            new("burst", new IntegerShape(1, 1_000_000), "Requests at once. Without it, as many as requests."),
            new("by", new TextShape(FieldPattern), "Header field by which clients are told apart. Without one, their address."),
        ],
        Short: new TextShape(RatePattern));

    /// <summary>A rule.</summary>
    public static readonly MapShape Rule = new(
        [
            new("host", new TextShape(RouteText.HostPattern), "Host that it is about. Without one, every host."),
            new("path", new TextsShape("^/", OrOne: true), "Path, or several: all that lies under it; * is any text within a segment, ** any text. Without one, every path."),
            new("match", new TextShape(), "Regular expression that is found in the path; $1 in redirect and rewrite is its first group."),
            new("redirect", new TextShape(@"^(/|https?://)"), "Where the client is sent: a path or an URL. The query goes along."),
            new("status", new IntegerShape(300, 499), "Status of the redirect (301, 302, 303, 307, 308; without one 302), or of the denial (403, 404, 410; without one 403)."),
            new("rewrite", new TextShape("^/"), "Path that the service sees instead."),
            new("deny", new TextsShape(@"^(all|[0-9A-Fa-f.:]+(/[0-9]{1,3})?)$", OrOne: true), "Addresses and networks that are refused, or all."),
            new("allow", new TextsShape(AddressPattern, OrOne: true), "Addresses and networks that may come; all others are refused."),
            new("auth", Auth, "Name and password that are asked for (basic authentication)."),
            new("headers", new NamedShape(FieldPattern, new TextShape()), "Fields of the answer that are set; one with nothing behind it is taken out."),
            new("limits", RuleLimits, "Limits of a request."),
            new("rate", Rate, "How often a client may come: requests/time such as 100/1m, or a map; beyond it 429."),
        ]);

    /// <summary>Those of the edge.</summary>
    public static readonly StackKey[] OfEdge =
    [
        new("static", new NamedShape(RouteText.Pattern, Static), "Folders that the edge serves itself, by path, host or host/path: a folder or a map."),
        new("rules", new ListShape(Rule), "Rules: what they are about (host, path, match), and what holds for it. All that fit hold, in their order."),
        new("pages", new NamedShape(PagePattern, new TextShape("^[^/]")), "Pages in the place of the edge's own, by status (404, 5xx) or maintenance: files of the stack."),
        new("trusted_proxies", new TextsShape(AddressPattern, OrOne: true), "Addresses and networks of proxies before the edge, whose X-Forwarded-For and X-Forwarded-Proto are believed."),
    ];
}
