namespace Ashlar.Http.Wire;

#pragma warning disable CS1591 // each member is the field of its name
/// <summary>Fields that mean something to a proxy; all others are <see cref="None"/> and pass untouched.</summary>
public enum KnownHeader : byte
{
    None,
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    KeepAlive,
    ProxyConnection,
    ProxyAuthorization,
    ProxyAuthenticate,
    Proxy,
    Te,
    Trailer,
    Upgrade,
    Http2Settings,
    Expect,
    MaxForwards,
    Via,
    Date,
    Forwarded,
    XForwardedFor,
    XForwardedProto,
    XForwardedHost,

    /// <summary>Any other field whose name begins with <c>X-Forwarded-</c>.</summary>
    XForwardedOther,
    XRealIp,
    XRequestId,
    XRequestStart,
    Authorization,
    Cookie,
    SetCookie,
    CacheControl,
    ContentType,
    ContentEncoding,
    ContentRange,
    Range,
    Origin,
    Location,
    Age,
    Expires,
    Vary,
    WwwAuthenticate,
    RetryAfter,
    Server,
    IfMatch,
    IfNoneMatch,
    IfModifiedSince,
    IfUnmodifiedSince,
    IfRange,
    AcceptEncoding,
    Pragma,
    Etag,
    LastModified,
    CdnCacheControl,
    SurrogateControl,
    Traceparent,

    /// <summary>Between the edges of a stack: what is asked of the other machine, and that it has no such thing.</summary>
    AshlarHop,
}
#pragma warning restore CS1591

/// <summary>What a proxy does with the fields it knows.</summary>
public static class KnownHeaders
{
    [Flags]
    private enum Rules : byte
    {
        None = 0,

        /// <summary>Belongs to one connection and is never passed on as it came (RFC 9110 section 7.6.1).</summary>
        HopByHop = 1,

        /// <summary>Says who the client is; a client's own word for it is replaced.</summary>
        SetByProxy = 2,
    }

    private static ReadOnlySpan<byte> RuleOf =>
    [
        0,                              // None
        0, 0, (byte)Rules.HopByHop,     // Host, Content-Length, Transfer-Encoding
        (byte)Rules.HopByHop,           // Connection
        (byte)Rules.HopByHop,           // Keep-Alive
        (byte)Rules.HopByHop,           // Proxy-Connection
        (byte)Rules.HopByHop,           // Proxy-Authorization
        (byte)Rules.HopByHop,           // Proxy-Authenticate
        (byte)Rules.HopByHop,           // Proxy: becomes HTTP_PROXY in a CGI environment
        (byte)Rules.HopByHop,           // TE
        0,                              // Trailer: kept where the body stays chunked
        (byte)Rules.HopByHop,           // Upgrade
        (byte)Rules.HopByHop,           // HTTP2-Settings
        0, 0, 0, 0,                     // Expect, Max-Forwards, Via, Date
        (byte)Rules.SetByProxy,         // Forwarded
        (byte)Rules.SetByProxy,         // X-Forwarded-For
        (byte)Rules.SetByProxy,         // X-Forwarded-Proto
        (byte)Rules.SetByProxy,         // X-Forwarded-Host
        (byte)Rules.SetByProxy,         // X-Forwarded-*
        (byte)Rules.SetByProxy,         // X-Real-IP
        (byte)Rules.SetByProxy,         // X-Request-Id
        (byte)Rules.SetByProxy,         // X-Request-Start
        0, 0, 0, 0, 0, 0, 0, 0,         // Authorization … Range
        0, 0, 0, 0, 0, 0, 0, 0,         // Origin … Server
        0, 0, 0, 0, 0,                  // If-Match … If-Range
        0, 0, 0, 0, 0, 0, 0,            // Accept-Encoding … Traceparent
        (byte)Rules.HopByHop,           // Ashlar-Hop
    ];

    /// <summary>Whether the field ends at this hop, whatever Connection says.</summary>
    public static bool IsHopByHop(this KnownHeader header) => ((Rules)RuleOf[(int)header]).HasFlag(Rules.HopByHop);

    /// <summary>Whether the proxy says it, so that a client that is not trusted cannot.</summary>
    public static bool IsSetByProxy(this KnownHeader header) => ((Rules)RuleOf[(int)header]).HasFlag(Rules.SetByProxy);

    /// <summary>Whether the field passes a request untouched.</summary>
    internal static bool IsUntouched(this KnownHeader header) => RuleOf[(int)header] == 0;

    /// <summary>Recognises a field name without regard to case.</summary>
    /// <param name="name">A valid token.</param>
    public static KnownHeader Recognise(ReadOnlySpan<byte> name)
    {
        if (name.Length is < 2 or > 64)
        {
            return KnownHeader.None;
        }

        switch (name.Length << 8 | name[0] | 0x20)
        {
            case 2 << 8 | 't': return Is(name, "te"u8, KnownHeader.Te);
            case 3 << 8 | 'v': return Is(name, "via"u8, KnownHeader.Via);
            case 3 << 8 | 'a': return Is(name, "age"u8, KnownHeader.Age);
            case 4 << 8 | 'h': return Is(name, "host"u8, KnownHeader.Host);
            case 4 << 8 | 'd': return Is(name, "date"u8, KnownHeader.Date);
            case 4 << 8 | 'e': return Is(name, "etag"u8, KnownHeader.Etag);
            case 4 << 8 | 'v': return Is(name, "vary"u8, KnownHeader.Vary);
            case 5 << 8 | 'p': return Is(name, "proxy"u8, KnownHeader.Proxy);
            case 5 << 8 | 'r': return Is(name, "range"u8, KnownHeader.Range);
            case 6 << 8 | 'c': return Is(name, "cookie"u8, KnownHeader.Cookie);
            case 6 << 8 | 'e': return Is(name, "expect"u8, KnownHeader.Expect);
            case 6 << 8 | 'o': return Is(name, "origin"u8, KnownHeader.Origin);
            case 6 << 8 | 'p': return Is(name, "pragma"u8, KnownHeader.Pragma);
            case 6 << 8 | 's': return Is(name, "server"u8, KnownHeader.Server);
            case 7 << 8 | 't': return Is(name, "trailer"u8, KnownHeader.Trailer);
            case 7 << 8 | 'u': return Is(name, "upgrade"u8, KnownHeader.Upgrade);
            case 7 << 8 | 'e': return Is(name, "expires"u8, KnownHeader.Expires);
            case 8 << 8 | 'i':
                var match = Is(name, "if-match"u8, KnownHeader.IfMatch);
                return match != KnownHeader.None ? match : Is(name, "if-range"u8, KnownHeader.IfRange);
            case 8 << 8 | 'l': return Is(name, "location"u8, KnownHeader.Location);
            case 9 << 8 | 'f': return Is(name, "forwarded"u8, KnownHeader.Forwarded);
            case 9 << 8 | 'x': return Is(name, "x-real-ip"u8, KnownHeader.XRealIp);
            case 10 << 8 | 'a': return Is(name, "ashlar-hop"u8, KnownHeader.AshlarHop);
            case 10 << 8 | 'c': return Is(name, "connection"u8, KnownHeader.Connection);
            case 10 << 8 | 'k': return Is(name, "keep-alive"u8, KnownHeader.KeepAlive);
            case 10 << 8 | 's': return Is(name, "set-cookie"u8, KnownHeader.SetCookie);
            case 11 << 8 | 'r': return Is(name, "retry-after"u8, KnownHeader.RetryAfter);
            case 11 << 8 | 't': return Is(name, "traceparent"u8, KnownHeader.Traceparent);
            case 12 << 8 | 'c': return Is(name, "content-type"u8, KnownHeader.ContentType);
            case 12 << 8 | 'm': return Is(name, "max-forwards"u8, KnownHeader.MaxForwards);
            case 12 << 8 | 'x': return Is(name, "x-request-id"u8, KnownHeader.XRequestId);
            case 13 << 8 | 'i': return Is(name, "if-none-match"u8, KnownHeader.IfNoneMatch);
            case 13 << 8 | 'l': return Is(name, "last-modified"u8, KnownHeader.LastModified);
            case 13 << 8 | 'a': return Is(name, "authorization"u8, KnownHeader.Authorization);
            case 13 << 8 | 'c':
                var cache = Is(name, "cache-control"u8, KnownHeader.CacheControl);
                return cache != KnownHeader.None ? cache : Is(name, "content-range"u8, KnownHeader.ContentRange);
            case 14 << 8 | 'c': return Is(name, "content-length"u8, KnownHeader.ContentLength);
            case 14 << 8 | 'h': return Is(name, "http2-settings"u8, KnownHeader.Http2Settings);
            case 15 << 8 | 'a': return Is(name, "accept-encoding"u8, KnownHeader.AcceptEncoding);
            case 17 << 8 | 'c': return Is(name, "cdn-cache-control"u8, KnownHeader.CdnCacheControl);
            case 17 << 8 | 'i': return Is(name, "if-modified-since"u8, KnownHeader.IfModifiedSince);
            case 17 << 8 | 's': return Is(name, "surrogate-control"u8, KnownHeader.SurrogateControl);
            case 19 << 8 | 'i': return Is(name, "if-unmodified-since"u8, KnownHeader.IfUnmodifiedSince);
            case 16 << 8 | 'c': return Is(name, "content-encoding"u8, KnownHeader.ContentEncoding);
            case 16 << 8 | 'p': return Is(name, "proxy-connection"u8, KnownHeader.ProxyConnection);
            case 16 << 8 | 'w': return Is(name, "www-authenticate"u8, KnownHeader.WwwAuthenticate);
            case 17 << 8 | 't': return Is(name, "transfer-encoding"u8, KnownHeader.TransferEncoding);
            case 18 << 8 | 'p': return Is(name, "proxy-authenticate"u8, KnownHeader.ProxyAuthenticate);
            case 19 << 8 | 'p': return Is(name, "proxy-authorization"u8, KnownHeader.ProxyAuthorization);
            default: return name.Length > 12 && (name[0] | 0x20) == 'x' ? Extension(name) : KnownHeader.None;
        }
    }

    private static KnownHeader Extension(ReadOnlySpan<byte> name)
    {
        if (Bytes.EqualsLower(name, "x-request-start"u8))
        {
            return KnownHeader.XRequestStart;
        }

        if (!Bytes.EqualsLower(name[..12], "x-forwarded-"u8))
        {
            return KnownHeader.None;
        }

        var rest = name[12..];
        return Bytes.EqualsLower(rest, "for"u8) ? KnownHeader.XForwardedFor
            : Bytes.EqualsLower(rest, "proto"u8) ? KnownHeader.XForwardedProto
            : Bytes.EqualsLower(rest, "host"u8) ? KnownHeader.XForwardedHost
            : KnownHeader.XForwardedOther;
    }

    private static KnownHeader Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower, KnownHeader known) =>
        Bytes.EqualsLower(name, lower) ? known : KnownHeader.None;
}
