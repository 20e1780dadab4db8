using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Routing;
using Ashlar.Edge.Web;
using Ashlar.Http.Wire;
using Ashlar.Stack;

namespace Ashlar.Edge.Forwarding;

/// <summary>What the web server in front of the services does with a request: rules, passwords, rates, redirects.</summary>
internal sealed partial class Exchange
{
    private long _maxBody;
    private long _maxHead;
    private long _answerTimeoutMs;
    private HeaderEdits? _edits;
    private byte[]? _rewritten;

    // The rules that ask for a password, in their order, and where the client is sent once it has given them.
    private readonly List<WebRule> _asking = [];
    private (string Status, string Location)? _moved;
    private byte[] _moreLines = [];
    private IPAddress? _clientAddress;
    private byte[]? _clientText;

    // What is done elsewhere (a look at a disk, a password) comes back with the ticket of the request that it was for.
    private int _ticket;
    private bool _isAwaiting;

    private void ResetWeb()
    {
        _answerTimeoutMs = 0;
        _edits = null;
        _rewritten = null;
        _asking.Clear();
        _moved = null;
        _moreLines = [];
        _clientAddress = null;
        _clientText = null;
        _isAwaiting = false;
        _ticket++;
        ResetFile();
        ResetSpool();
    }

    /// <summary>The path that counts: as received, or as a rule has rewritten it.</summary>
    private ReadOnlySpan<byte> PathOf(ReadOnlySpan<byte> head) => _rewritten is not null ? _rewritten
        : Request.PathRange.Length == 0 ? "/"u8 : Request.PathRange.Of(head);

    /// <summary>Something is done elsewhere; until it comes back, nothing happens here but that the client may leave.</summary>
    /// <returns>A ticket for <see cref="Continue"/>.</returns>
    private int Await(Stage stage)
    {
        _stage = stage;
        _isAwaiting = true;
        return _ticket;
    }

    /// <summary>False: the request that got the ticket has ended, or waits no more. From any thread.</summary>
    private bool IsAwaited(int ticket) => Volatile.Read(ref _ticket) == ticket;

    /// <summary>Answers without what is done elsewhere; when that comes back, it finds nobody.</summary>
    private void AnswerUnawaited(HttpProblem problem, Failure failure)
    {
        _isAwaiting = false;
        _ticket++;
        Answer(problem, failure);
    }

    /// <summary>What was done elsewhere has come back, to this request or, if that has ended meanwhile, to nobody.</summary>
    private void Continue(int ticket, Action next)
    {
        if (ticket != _ticket || !_isAwaiting || _stage == Stage.Over)
        {
            return;
        }

        _isAwaiting = false;
        if (_stage == Stage.Looking && !_halfClosed)
        {
            _client.ClearDeadline();
        }

        try
        {
            next();
        }
        catch
        {
            _client.Abort();
            throw;
        }

        _client?.Advance();
    }

    /// <summary>True: the rules have answered the request, or somebody has to be waited for first.</summary>
    private bool AnsweredByRules(WebTable web, ReadOnlySpan<byte> head)
    {
        var received = PathOf(head);
        Span<byte> normal = stackalloc byte[received.Length + 1];
        ReadOnlySpan<byte> path = normal[..NormalPath.Write(received, normal)];

        Span<char> text = stackalloc char[path.Length];
        text = text[..Encoding.UTF8.GetChars(path, text)];
        var host = HostName.Strip(Request.HostRange.Of(head));
        var isReadOtherwise = path.Contains((byte)';') || (_service?.Scripts is not null && !NormalPath.BehindScript(path).IsEmpty);
        foreach (var rule in web.Rules)
        {
            var isMeant = rule.Covers(host, path, text, out var pattern);
            if ((isMeant || (isReadOtherwise && IsMeantOtherwise(rule, host, path))) && IsRefused(rule, head))
            {
                return true;
            }

            if (isMeant && IsMoved(rule, pattern, head, text))
            {
                break;
            }
        }

        return IsTooLarge() || (_asking.Count > 0 ? AnsweredByPassword(0, web, head) : AnsweredByMove());
    }

    private bool IsTooLarge()
    {
        if (Request.Consumed > _maxHead)
        {
            Answer(HttpProblem.HeadTooLarge, Failure.BadRequest);
            return true;
        }

        if (Request.Body == BodyFraming.Length && Request.ContentLength > _maxBody)
        {
            Answer(HttpProblem.BodyTooLarge, Failure.BadRequest);
            return true;
        }

        return false;
    }

    /// <summary>
    /// Whether a rule is about the path as an app may read it: a servlet container without parameters (<c>/;x/admin</c> is <c>/admin</c>),
    /// a front controller without its own name (<c>/index.php/admin</c>).
    /// </summary>
    private bool IsMeantOtherwise(WebRule rule, ReadOnlySpan<byte> host, ReadOnlySpan<byte> path)
    {
        Span<byte> room = stackalloc byte[path.Length + 1];
        Span<char> text = stackalloc char[path.Length];
        var bare = room[..NormalPath.WriteWithoutParameters(path, room)];
        if (rule.Covers(host, bare, text[..Encoding.UTF8.GetChars(bare, text)], out _))
        {
            return true;
        }

        var behind = _service?.Scripts is null ? default : NormalPath.BehindScript(bare);
        return !behind.IsEmpty && rule.Covers(host, behind, text[..Encoding.UTF8.GetChars(behind, text)], out _);
    }

    /// <summary>True: the rule lets the request come no further.</summary>
    private bool IsRefused(WebRule rule, ReadOnlySpan<byte> head)
    {
        var definition = rule.Definition;
        _edits = rule.Edits is null ? _edits : _edits is null ? rule.Edits : _edits.With(rule.Edits);
        if (_refreshes)
        {
            // The cache asks for itself: who may see the page is judged for each client.
            return false;
        }

        if (rule.Deny is { } denied && denied.Contains(ClientIp(head)))
        {
            Answer(definition.Status switch { 404 => HttpProblem.NoFile, 410 => HttpProblem.Gone, _ => HttpProblem.Denied }, Failure.Denied);
            return true;
        }

        if (rule.Allow is { } allowed && !allowed.Contains(ClientIp(head)))
        {
            Answer(HttpProblem.AddressDenied, Failure.Denied);
            return true;
        }

        if (rule.Rate is { } rate && rate.Take(RateKey(rule, head), _loop.Now) is var wait and > 0)
        {
            _moreLines = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Retry-After: {(wait + 999) / 1000}\r\n"));
            Answer(HttpProblem.RateLimited, Failure.RateLimited);
            return true;
        }

        _maxHead = definition.MaxHead ?? _maxHead;
        _maxBody = definition.MaxBody ?? _maxBody;
        _answerTimeoutMs = definition.Timeout is { } timeout ? (long)timeout.TotalMilliseconds : _answerTimeoutMs;
        if (definition.Auth is not null)
        {
            _asking.Add(rule);
        }

        return false;
    }

    /// <summary>True: the client is to be sent elsewhere, and no further rule matters. A rewritten path goes on here.</summary>
    private bool IsMoved(WebRule rule, PathPattern? pattern, ReadOnlySpan<byte> head, ReadOnlySpan<char> path)
    {
        var definition = rule.Definition;
        if (definition.Rewrite is { } rewrite)
        {
            _rewritten = Encoding.ASCII.GetBytes(pattern is null ? rewrite : pattern.Expand(rewrite, path.ToString()));
        }

        if (definition.Redirect is not { } redirect || _refreshes)
        {
            return false;
        }

        var location = (pattern ?? PathPattern.Of("/")).Expand(redirect, path.ToString());
        var query = Encoding.ASCII.GetString(Request.QueryRange.Of(head));
        location += location.Contains('?', StringComparison.Ordinal) && query.Length > 0 ? "&" + query[1..] : query;
        var status = definition.Status switch
        {
            301 => "301 Moved Permanently",
            303 => "303 See Other",
            307 => "307 Temporary Redirect",
            308 => "308 Permanent Redirect",
            _ => "302 Found",
        };

        // //host would be another site's address.
        _moved = (status, location.StartsWith("//", StringComparison.Ordinal) ? "/" + location.TrimStart('/') : location);
        return true;
    }

    // After the passwords: who may not see the page is not told where it has gone.
    private bool AnsweredByMove()
    {
        if (_moved is not { } moved)
        {
            return false;
        }

        AnswerShort(moved.Status, $"Location: {moved.Location}\r\nContent-Length: 0\r\n", default);
        return true;
    }

    /// <summary>True: a rule's password is missing, or has to be checked first; else all are right, and the client is not sent elsewhere.</summary>
    /// <param name="from">Of the rules that ask, the first that has not been satisfied.</param>
    /// <param name="web">The rules' table.</param>
    /// <param name="head">The request's head.</param>
    private bool AnsweredByPassword(int from, WebTable web, ReadOnlySpan<byte> head)
    {
        var isSent = TryCredentials(head, out var credentials, out var user, out var password);
        var passwords = _edge.Server.Passwords;
        for (var i = from; i < _asking.Count; i++)
        {
            var auth = _asking[i].Definition.Auth!;
            if (!isSent)
            {
                AskPassword(auth, web);
                return true;
            }

            // For a name that does not exist a password is checked all the same: how long it takes tells nobody which names there are.
            var isUser = auth.Users.TryGetValue(user, out var hash);
            hash ??= auth.Users.IsEmpty ? "" : auth.Users.First().Value;
            if (!isUser || !passwords.IsRemembered(credentials, hash))
            {
                CheckPassword(i, web, credentials, password, hash, isUser);
                return true;
            }
        }

        return AnsweredByMove();
    }

    private void CheckPassword(int index, WebTable web, byte[] credentials, byte[] password, string hash, bool isUser)
    {
        var client = ClientIp(_client.Received!.Slice(_headStart, Request.Consumed));
        var ticket = Await(Stage.Looking);
        LookDeadline();
        var asker = new PasswordAsker(
            _loop, () => IsAwaited(ticket), isRight => Continue(ticket, () => PasswordChecked(index, web, isRight && isUser)));
        switch (_edge.Server.PasswordChecks.TryCheck(credentials, password, hash, client, asker))
        {
            case CheckResult.TooManyOfClient:
                _moreLines = "Retry-After: 1\r\n"u8.ToArray();
                AnswerUnawaited(HttpProblem.PasswordsOfClient, Failure.RateLimited);
                break;
            case CheckResult.TooMany:
                AnswerUnawaited(HttpProblem.PasswordsBusy, Failure.QueueFull);
                break;
        }
    }

    private void PasswordChecked(int index, WebTable web, bool isRight)
    {
        if (!isRight)
        {
            AskPassword(_asking[index].Definition.Auth!, web);
        }
        else if (!AnsweredByPassword(index + 1, web, _client.Received!.Slice(_headStart, Request.Consumed)))
        {
            RouteToFiles();
        }
    }

    private void AskPassword(AuthDefinition auth, WebTable web)
    {
        _moreLines = Encoding.ASCII.GetBytes($"WWW-Authenticate: Basic realm=\"{auth.Realm ?? web.Realm}\", charset=\"UTF-8\"\r\n");
        Answer(HttpProblem.Unauthorized, Failure.Denied);
    }

    private bool TryCredentials(ReadOnlySpan<byte> head, out byte[] credentials, out string user, out byte[] password)
    {
        (credentials, user, password) = ([], "", []);
        var value = Request.Find(KnownHeader.Authorization).Of(head);
        if (value.Length is < 7 or > 1024 || !Ascii.EqualsIgnoreCase(value[..6], "basic "u8))
        {
            return false;
        }

        credentials = new byte[Base64.GetMaxDecodedFromUtf8Length(value.Length)];
        var status = Base64.DecodeFromUtf8(value[6..].Trim((byte)' '), credentials, out _, out var length);
        var colon = credentials.AsSpan(0, length).IndexOf((byte)':');
        if (status != System.Buffers.OperationStatus.Done || colon < 0)
        {
            return false;
        }

        credentials = credentials[..length];
        user = Encoding.UTF8.GetString(credentials.AsSpan(0, colon));
        password = credentials[(colon + 1)..];
        return true;
    }

    private ulong RateKey(WebRule rule, ReadOnlySpan<byte> head)
    {
        var hash = default(HashCode);
        var second = default(HashCode);
        second.Add(0x5bd1e995);
        if (rule.RateField is { } name && FieldNamed(name, head) is { IsEmpty: false } value)
        {
            hash.AddBytes(value);
            second.AddBytes(value);
        }
        else
        {
            // A household has a network of its own in IPv6, with as many addresses as it likes.
            Span<byte> address = stackalloc byte[16];
            ClientIp(head).TryWriteBytes(address, out var length);
            hash.AddBytes(address[..(length == 16 ? 8 : 4)]);
            second.AddBytes(address[..(length == 16 ? 8 : 4)]);
        }

        return ((ulong)(uint)hash.ToHashCode() << 32 | (uint)second.ToHashCode()) | 1;
    }

    private ReadOnlySpan<byte> FieldNamed(ReadOnlySpan<byte> name, ReadOnlySpan<byte> head)
    {
        foreach (ref readonly var field in Request.Fields)
        {
            if (field.NameLength == name.Length && Ascii.EqualsIgnoreCase(field.Name(head), name))
            {
                return field.Value(head);
            }
        }

        return default;
    }

    /// <summary>The client's address: that of the connection, or the one that proxies say that we trust.</summary>
    private IPAddress ClientIp(ReadOnlySpan<byte> head)
    {
        if (!_client.Peer.Trusted)
        {
            return _client.Peer.Client;
        }

        return _clientAddress ??= ForwardedClient.Find(LastForwardedFor(head), _edge.Trusted) ?? _client.Peer.Client;
    }

    private ReadOnlySpan<byte> LastForwardedFor(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> last = default;
        foreach (ref readonly var field in Request.Fields)
        {
            last = field.Known == KnownHeader.XForwardedFor ? field.Value(head) : last;
        }

        return last;
    }

    /// <summary>The same as text.</summary>
    private ReadOnlySpan<byte> ClientAddress(ReadOnlySpan<byte> head)
    {
        if (_fromHop && Request.Find(KnownHeader.XRealIp) is { Length: > 0 } told)
        {
            return told.Of(head);
        }

        return head.IsEmpty || !_client.Peer.Trusted ? _client.Peer.Address.Span : _clientText ??= Encoding.ASCII.GetBytes(ClientIp(head).ToString());
    }

    /// <summary>Whether the client speaks TLS, to us, to another machine's edge, or to a proxy that we trust.</summary>
    private bool IsClientSecure(ReadOnlySpan<byte> head) => (_fromHop || _client.Peer.Trusted) && Request.Has(KnownHeader.XForwardedProto)
        ? Request.Find(KnownHeader.XForwardedProto).Of(head).SequenceEqual("https"u8)
        : _client.Listener.IsSecure;
}
