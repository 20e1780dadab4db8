using Ashlar.Edge.Caching;
using Ashlar.Edge.Caching.Rules;
using Ashlar.Edge.Caching.Store;
using Ashlar.Edge.Logging;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>The cache's part before the request is forwarded: look up, wait for what another gets, or begin to get it.</summary>
internal sealed partial class Exchange
{
    private HttpCache? _cache;
    private CacheWord _cacheWord;
    private StoreRule _storeRule;

    // Asked by this exchange for itself and others; by another, whose answer is awaited or read as it comes.
    private Fill? _fill;
    private Fill? _awaited;
    private FillReader? _reader;

    // Leased: what is being sent, or asked about.
    private StoredResponse? _stored;

    private bool AnsweredFromCache(ReadOnlySpan<byte> buffer) =>
        _edge.Server.Cache is { } cache && _client.Listener.Service is null && AskCache(cache, buffer);

    private bool AskCache(HttpCache cache, ReadOnlySpan<byte> buffer)
    {
        _cache = cache;
        if (Request.Method is not (KnownMethod.Get or KnownMethod.Head))
        {
            _cacheWord = CacheWord.Method;
            return Request.MethodRange.Of(buffer).SequenceEqual("PURGE"u8) && AnswerPurge(buffer);
        }

        var key = KeyOf(buffer);
        if (Request.Body != BodyFraming.None || Request.Upgrade || key.IsEmpty)
        {
            _cacheWord = CacheWord.Bypass;
            return false;
        }

        var wanted = Wanted(buffer);
        var slot = cache.Find(key);
        var stored = slot is null ? null : Select(slot, buffer);
        _cacheWord = slot is { Variants.Length: > 0 } ? CacheWord.VaryMiss : CacheWord.Miss;
        if (stored is not null)
        {
            var reuse = ReuseRules.Judge(FreshnessOf(stored), in wanted, _loop.Now);
            if (reuse < Reuse.Validate && !_refreshes && stored.Body.TryLease())
            {
                if (!stored.Visited)
                {
                    stored.Visited = true;
                }

                if (reuse == Reuse.WhileRevalidating && stored.Slot.Fills.Count == 0)
                {
                    Refresh();
                }

                ServeStored(stored, reuse == Reuse.Fresh ? CacheWord.Hit : CacheWord.Stale);
                return true;
            }

            _cacheWord = reuse == Reuse.ValidateByRequest ? CacheWord.Request : CacheWord.Refreshed;
        }

        if (wanted.Has(CacheFlags.OnlyIfCached))
        {
            Answer(HttpProblem.NotCached, Failure.None);
            return true;
        }

        if (Request.Method == KnownMethod.Head || Request.Has(KnownHeader.Range) || wanted.Has(CacheFlags.NoStore))
        {
            _storeRule = wanted.Has(CacheFlags.NoStore) ? StoreRule.RequestNoStore : StoreRule.Request;
            return false;
        }

        return AskOrigin(cache, key, stored, buffer);
    }

    /// <summary>Registers that this exchange asks the app, or waits for one that does already. True: it waits.</summary>
    private bool AskOrigin(HttpCache cache, ReadOnlySpan<byte> key, StoredResponse? stored, ReadOnlySpan<byte> buffer)
    {
        if (stored is null && cache.Passes.Knows(cache.HashOf(key), _loop.Now))
        {
            // Its last answers were not for all: nobody waits. One that is, will be noticed.
            _fill = cache.Begin(key, Request, buffer, shared: false, out _);
            return false;
        }

        // What a request's own conditions bring is for nobody else.
        var isConditional = Request.Has(KnownHeader.IfNoneMatch) || Request.Has(KnownHeader.IfModifiedSince)
            || Request.Has(KnownHeader.IfMatch) || Request.Has(KnownHeader.IfUnmodifiedSince);
        var shared = _cacheWord != CacheWord.Request && (!isConditional || stored is { HasValidator: true });
        var fill = cache.Begin(key, Request, buffer, shared, out var joined);
        if (!joined)
        {
            _fill = fill;
            if (stored is { HasValidator: true } or { Freshness.IfError: > 0 } && stored.Body.TryLease())
            {
                _stored = stored;
            }

            return false;
        }

        if (_refreshes)
        {
            Finish(Ending.Abort);
            return true;
        }

        _awaited = fill;
        _reader = new FillReader(_loop, FillWentOn);
        fill.Attach(_reader);
        _stage = Stage.AwaitingFill;
        _halfClosed = false;
        _client.SetDeadline((long)_options.ResponseHeadTimeout.TotalMilliseconds);
        FollowFill();
        return true;
    }

    private void FillWentOn()
    {
        FollowFill();
        _client.Advance();
    }

    /// <summary>Looks whether what another asks for answers this request too.</summary>
    private void FollowFill()
    {
        if (_stage != Stage.AwaitingFill)
        {
            return;
        }

        var buffer = _client.Received!.Slice(_headStart, Request.Consumed);
        switch (_awaited!.State)
        {
            case FillState.Asked:
                return;
            case FillState.Flowing or FillState.Done when _awaited.Response is { } response
                && response.Variation.Matches(Request, buffer, ref _edge.Scratch.Variation) && response.Body.TryLease():
                ServeStored(response, CacheWord.Collapsed);
                return;
            default:
                // It is for one only, or for another kind of request: each gets its own, and none waits again.
                LeaveFill();
                _client.ClearDeadline();
                Acquire();
                return;
        }
    }

    /// <summary>The one who asks has not got anything in the time that it may take.</summary>
    private void FillTimedOut()
    {
        if (_halfClosed)
        {
            Finish(Ending.Abort, Failure.ClientGone);
            return;
        }

        LeaveFill();
        Acquire();
    }

    /// <summary>Gives up what is held of the cache; the answer, if any, has been sent.</summary>
    private void LeaveCache()
    {
        EndFill(_fillsBody ? FillState.Broken : FillState.Given);
        LeaveFill();
        if (_stored is { } stored)
        {
            // What is lent of its body is not sent any more.
            _toClient.Clear();
            _stored = null;
            stored.Body.Release();
        }
    }

    private void ResetCache()
    {
        _cache = null;
        _cacheWord = CacheWord.None;
        _storeRule = StoreRule.Request;
        _servesStored = _fillsBody = _storedChunked = _owesChunkEnd = _refreshes = _judged = _drainsStored = _isAlone = false;
        _storedAt = _storedEnd = 0;
    }

    private void LeaveFill()
    {
        if (_reader is { } reader)
        {
            reader.Forget();
            _awaited!.Detach(reader);
            (_reader, _awaited) = (null, null);
        }
    }

    private Freshness FreshnessOf(StoredResponse stored) => stored.IsExpired ? stored.Freshness.Expired(_loop.Now) : stored.Freshness;

    private StoredResponse? Select(CacheSlot slot, ReadOnlySpan<byte> buffer)
    {
        foreach (var variant in slot.Variants)
        {
            if (!variant.Variation.Matches(Request, buffer, ref _edge.Scratch.Variation))
            {
                continue;
            }

            if (_cache!.IsCurrent(variant))
            {
                return variant;
            }

            _cache.Remove(variant);
        }

        return null;
    }

    private CacheDirectives Wanted(ReadOnlySpan<byte> buffer)
    {
        var wanted = new CacheDirectives();
        if (Request.Has(KnownHeader.CacheControl))
        {
            foreach (ref readonly var field in Request.Fields)
            {
                if (field.Known == KnownHeader.CacheControl)
                {
                    wanted.Read(field.Value(buffer));
                }
            }
        }
        else if (Request.Has(KnownHeader.Pragma) && FieldText.Is(Request.Find(KnownHeader.Pragma).Of(buffer), "no-cache"u8))
        {
            wanted.Flags |= CacheFlags.NoCache;
        }

        return wanted;
    }

    /// <summary>The key: scheme, host in lower case, path and query as they are forwarded. Empty: the URL is too long.</summary>
    private ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> buffer) =>
        KeyOf(HostOf(buffer), Request.PathRange.Of(buffer), Request.QueryRange.Of(buffer));

    // What the app is told: a proxy that is trusted may say another host.
    private ReadOnlySpan<byte> HostOf(ReadOnlySpan<byte> buffer) =>
        (_client.Peer.Trusted && Request.Has(KnownHeader.XForwardedHost) ? Request.Find(KnownHeader.XForwardedHost) : Request.HostRange).Of(buffer);

    private ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        if (host.Length + path.Length + query.Length + 2 > CacheScratch.LongestKey)
        {
            return default;
        }

        var key = _edge.Scratch.Key;
        key[0] = IsClientSecure(_client.Received!.Slice(_headStart, Request.Consumed)) ? (byte)'s' : (byte)'h';
        var length = 1;
        System.Text.Ascii.ToLower(host, key.AsSpan(length), out var written);
        length += written;
        if (path.IsEmpty)
        {
            key[length++] = (byte)'/';
        }

        path.CopyTo(key.AsSpan(length));
        length += path.Length;
        query.CopyTo(key.AsSpan(length));
        return key.AsSpan(0, length + query.Length);
    }
}
