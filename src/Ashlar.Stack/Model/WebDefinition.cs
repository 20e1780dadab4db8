using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>What the edge does as a web server, beside forwarding. A member that is absent in an older release's record is empty.</summary>
public sealed record WebDefinition
{
    /// <summary>Folders that the edge serves itself.</summary>
    public ImmutableArray<StaticDefinition> Static { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Rules, in their order.</summary>
    public ImmutableArray<RuleDefinition> Rules { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Pages in the place of the edge's own, relative to the stack's folder, by status (<c>404</c>, <c>5xx</c>) or <c>maintenance</c>.</summary>
    public ImmutableSortedDictionary<string, string> Pages { get; init => field = value ?? field; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Addresses of proxies whose word on the client counts: IP literals, or networks with their prefix length.</summary>
    public ImmutableArray<string> TrustedProxies { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>True: nothing is asked of the web server.</summary>
    public bool IsEmpty => Static.IsEmpty && Rules.IsEmpty && Pages.IsEmpty && TrustedProxies.IsEmpty;
}

/// <summary>A folder that the edge serves.</summary>
/// <param name="Host">Lower-case host; null: any.</param>
/// <param name="Path">Path prefix, of whole segments.</param>
/// <param name="Folder">Folder, relative to the stack's.</param>
public sealed record StaticDefinition(string? Host, string Path, string Folder)
{
    /// <summary>What a path may be in the folder, tried in turn; empty: the file, then the folder's index.</summary>
    public ImmutableArray<string> TryFiles { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>True: names carry a hash of what is in the file, so clients keep it for a year and ask no more.</summary>
    public bool Immutable { get; init; }

    /// <summary>Folders that symbolic links in it may lead into: absolute, or relative to the stack's.</summary>
    public ImmutableArray<string> Links { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>A rule: which requests it is about, and what holds for them. All rules that are about a request hold, in their order.</summary>
public sealed record RuleDefinition
{
    /// <summary>Lower-case host; null: any.</summary>
    public string? Host { get; init; }

    /// <summary>Paths: prefixes of whole segments, or patterns in which <c>*</c> is any text within a segment and <c>**</c> any text.</summary>
    public ImmutableArray<string> Paths { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Regular expression that is found in the path; null: none.</summary>
    public string? Match { get; init; }

    /// <summary>Where the client is sent; null: nowhere.</summary>
    public string? Redirect { get; init; }

    /// <summary>Status of the redirect, or of a denial; 0: the default, 302 or 403.</summary>
    public int Status { get; init; }

    /// <summary>The path that the service sees instead; null: the same.</summary>
    public string? Rewrite { get; init; }

    /// <summary>Addresses that are refused; <c>all</c>: everybody.</summary>
    public ImmutableArray<string> Deny { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Addresses beside which all are refused; none: nobody is.</summary>
    public ImmutableArray<string> Allow { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Name and password that are asked for; null: none.</summary>
    public AuthDefinition? Auth { get; init; }

    /// <summary>Fields of the answer that are set; one with an empty value is taken out.</summary>
    public ImmutableSortedDictionary<string, string> Headers { get; init => field = value ?? field; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Largest body in bytes; null: no limit of its own.</summary>
    public long? MaxBody { get; init; }

    /// <summary>Largest head in bytes; null: no limit of its own.</summary>
    public long? MaxHead { get; init; }

    /// <summary>Time an answer may take to begin; null: as everywhere.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How often it may be asked; null: as often as it likes.</summary>
    public RateDefinition? Rate { get; init; }
}

/// <summary>Basic authentication (RFC 7617).</summary>
public sealed record AuthDefinition
{
    /// <summary>What the password is for, as a browser shows it; null: the stack's name.</summary>
    public string? Realm { get; init; }

    /// <summary>Hashes of the passwords, in crypt(5)'s form, by name.</summary>
    public ImmutableSortedDictionary<string, string> Users { get; init => field = value ?? field; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Config var with further users, <c>name:hash</c> separated by white space; null: none.</summary>
    public string? Config { get; init; }
}

/// <summary>A rate: a bucket that is filled evenly, and of which each request takes one.</summary>
/// <param name="Requests">Requests in <paramref name="Per"/>.</param>
/// <param name="Per">The time.</param>
public sealed record RateDefinition(int Requests, TimeSpan Per)
{
    /// <summary>Requests at once; 0: as many as <see cref="Requests"/>.</summary>
    public int Burst { get; init; }

    /// <summary>Name of the header field by which clients are told apart; null: their address.</summary>
    public string? By { get; init; }
}
