using Ashlar.Edge.Balancing;
using Ashlar.Edge.Caching;
using Ashlar.Edge.Caching.Rules;
using Ashlar.Edge.Caching.Store;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>The cache's part once the app answers: store what is for all as it comes, or let go who waits for it.</summary>
internal sealed partial class Exchange
{
    // What comes goes into the store, and from there to the client, who may be slower.
    private bool _fillsBody;
    private bool _refreshes;
    private bool _judged;
    private bool _drainsStored;

    // Its client has left, or it never had one: it goes on for those who wait, and for the store.
    private bool _isAlone;

    /// <summary>The head of the app's final answer is there. True: the cache has taken the exchange on; false: it is passed as ever.</summary>
    private bool TakeAnswer()
    {
        _judged = true;
        var status = Response.Status;
        if (_fill is null)
        {
            if (status is >= 200 and < 400 && !IsSafe())
            {
                Invalidate();
            }

            return false;
        }

        if (status == 304 && _stored is { HasValidator: true })
        {
            Freshen();
            return true;
        }

        if (status is 500 or 502 or 503 or 504 && MayServeStale())
        {
            _instance!.Succeeded();
            BreakOffUpstream();
            ReleaseInstance(Outcome.Answered);
            ServeStale();
            return true;
        }

        return TryFill();
    }

    /// <summary>The edge itself would have to answer with an error: a stale response is better, where it may be used.</summary>
    private bool AnsweredByStale(HttpProblem problem)
    {
        if (problem.Status < 500 || _fill is null || !MayServeStale())
        {
            return false;
        }

        ServeStale();
        return true;
    }

    private bool MayServeStale() =>
        !_servesStored && _stored is { } stored && FreshnessOf(stored) is var freshness
        && freshness is { AlwaysValidate: false, IfError: > 0 } && -freshness.FreshFor(_loop.Now) < freshness.IfError;

    private void ServeStale()
    {
        var stored = _stored!;
        EndFill(FillState.Done, stored);
        ServeStored(stored, CacheWord.Stale);
    }

    /// <summary>
    /// What is stored is still valid: takes over what the 304 says, and answers with it (RFC 9111 section 4.3.4). Nobody else gets of it what
    /// is not for all.
    /// </summary>
    private void Freshen()
    {
        var cache = _cache!;
        var old = _stored!;
        var fresh = StoredHead.Of(_received!.Data, Response, _edge.DateLine, out var statusLine);
        var full = StoredHead.Freshened(old.Head, old.StatusLine, fresh.AsSpan(statusLine));
        var facts = ResponseFacts.Read(full.AsSpan(old.StatusLine));
        var next = Make(old.Slot, old.Body, old.Status, full, old.StatusLine, in facts, old.Variation, cache.TagsOf(full.AsSpan(old.StatusLine)) ?? old.Tags, old.Length);
        _received!.Start += Response.Consumed;
        _instance!.Succeeded();
        _requestDone = true;
        ReleaseUpstream();
        ReturnAnswerBuffer();
        var rule = StoreRules.Judge(old.Status, in facts, Request.Has(KnownHeader.Authorization), HasOwnCookie());
        if (rule == StoreRule.Stored)
        {
            cache.Store(next);
            EndFill(FillState.Done, next);
        }
        else
        {
            if (IsOfAnswer(rule))
            {
                cache.Remove(old);
            }

            EndFill(FillState.Given);
        }

        ServeStored(next, CacheWord.Revalidated, StoredHead.CookiesOf(fresh.AsSpan(statusLine)));
    }

    // Not because of who asked: that says nothing about what others may get.
    private static bool IsOfAnswer(StoreRule rule) => rule is not (StoreRule.Authorization or StoreRule.Cookie);

    private bool TryFill()
    {
        var cache = _cache!;
        var buffer = _received!.Data;
        _storeRule = Judge(buffer, out var head, out var statusLine);
        if (_storeRule != StoreRule.Stored)
        {
            // What is stored has been superseded by something that is not for all.
            if (_stored is { } superseded && Response.Status is >= 200 and < 300 && IsOfAnswer(_storeRule))
            {
                cache.Remove(superseded);
            }

            if (Response.Status < 500 && Response.Status != 304)
            {
                cache.Passes.Add(cache.HashOf(_fill!.Slot.Key), _loop.Now);
            }

            LetGoStored();
            EndFill(FillState.Given);
            return false;
        }

        var request = _client.Received!.Slice(_headStart, Request.Consumed);
        var facts = ResponseFacts.Read(head.AsSpan(statusLine));
        var variation = Variation.Of(head.AsSpan(statusLine), Request, request);
        var tags = cache.TagsOf(head.AsSpan(statusLine));
        var isMixed = variation is { TellsCodings: true } && Response.Has(KnownHeader.ContentEncoding)
            && !Variation.Knows(Response.Find(KnownHeader.ContentEncoding).Of(buffer));
        if (variation is null || tags is null || isMixed)
        {
            _storeRule = variation is null ? StoreRule.VaryAll : tags is null ? StoreRule.Tags : StoreRule.Coding;
            LetGoStored();
            EndFill(FillState.Given);
            return false;
        }

        cache.Passes.Forget(cache.HashOf(_fill!.Slot.Key));
        LetGoStored();
        var length = Response.Body switch
        {
            BodyFraming.Length => Response.ContentLength,
            BodyFraming.None => 0,
            _ => -1L,
        };
        var body = new CacheBody(cache.Memory, length);
        _stored = Make(_fill.Slot, body, Response.Status, head, statusLine, in facts, variation, tags, length);
        _fillsBody = true;
        return false;
    }

    /// <summary>The head has been sent as any other; the body flows through the store.</summary>
    private void BeginFilling(BodyFraming framing)
    {
        _servesStored = true;
        _responseDone = false;
        (_storedAt, _storedEnd, _storedChunked) = (0, _stored!.Length, framing == BodyFraming.Chunked);
        _fill!.Flow(_stored);
    }

    private StoreRule Judge(ReadOnlySpan<byte> buffer, out byte[] head, out int statusLine)
    {
        (head, statusLine) = ([], 0);
        if (Response.Body == BodyFraming.UntilClose)
        {
            return StoreRule.NoLength;
        }

        if (!Response.Has(KnownHeader.CacheControl) && !Response.Has(KnownHeader.Expires)
            && !Response.Has(KnownHeader.CdnCacheControl) && !Response.Has(KnownHeader.SurrogateControl))
        {
            return StoreRule.NoFreshness;
        }

        if (Response.Consumed > StoredHead.Largest || (Response.Body == BodyFraming.Length && Response.ContentLength > _cache!.LargestBody))
        {
            return StoreRule.TooLarge;
        }

        head = StoredHead.Of(buffer, Response, _edge.DateLine, out statusLine);
        var facts = ResponseFacts.Read(head.AsSpan(statusLine));
        var rule = StoreRules.Judge(Response.Status, in facts, Request.Has(KnownHeader.Authorization), HasOwnCookie());
        if (rule != StoreRule.Stored)
        {
            return rule;
        }

        var freshness = Freshness.Of(in facts, _loop.Now, WallSeconds, 0, 0);
        return freshness.FreshFor(_loop.Now) <= 0 && freshness.WhileRevalidate == 0 && facts is { ETag.IsEmpty: true, LastModified: < 0 }
            ? StoreRule.Stale
            : StoreRule.Stored;
    }

    private StoredResponse Make(
        CacheSlot slot, CacheBody body, int status, byte[] full, int statusLine, in ResponseFacts facts, Variation variation, TagState[] tags, long length)
    {
        var delay = _askedAt == 0 ? 0 : (long)System.Diagnostics.Stopwatch.GetElapsedTime(_askedAt).TotalMilliseconds;
        return new StoredResponse(slot, body)
        {
            Status = status,
            Head = StoredHead.ToSend(full, statusLine, facts.HasNamedFields, status == 204 ? -1 : length),
            StatusLine = statusLine,
            Length = length,
            Freshness = Freshness.Of(in facts, _loop.Now, WallSeconds, delay, (long)_cache!.Settings.StaleIfError.TotalMilliseconds),
            ETag = facts.ETag.ToArray(),
            LastModified = facts.LastModified,
            Date = facts.Date >= 0 ? facts.Date : WallSeconds,
            Variation = variation,
            Tags = tags,
            Sequence = _fill!.Sequence,
            HasHsts = facts.HasHsts,
        };
    }

    /// <summary>Takes what the app sends into the store, however slow the client is. False: the exchange has taken another course.</summary>
    private bool FillBody(ref int budget)
    {
        var (stored, before) = (_stored!, _stored!.Body.Length);
        while (_fillsBody && _stage == Stage.Relaying)
        {
            var status = _received is { Length: > 0 } || _responseBody.IsDone ? _responseBody.Store(_received!, stored.Body) : RelayStatus.NeedMore;
            if (status == RelayStatus.Bad)
            {
                AnswerBroken(_responseBody.Problem!);
                return false;
            }

            if (status == RelayStatus.Done)
            {
                Filled(stored);
                return true;
            }

            if (status == RelayStatus.Full || (stored.Length < 0 && stored.Body.Length > _cache!.LargestBody))
            {
                Overflowed(status == RelayStatus.Full ? StoreRule.NoRoom : StoreRule.TooLarge);
                return true;
            }

            if (stored.Body.Length > before)
            {
                before = stored.Body.Length;
                _fill!.Progress();
            }

            if (budget <= 0 || _upstream is null || !ReceiveAnswer(ref budget))
            {
                return _stage == Stage.Relaying;
            }
        }

        return _stage == Stage.Relaying;
    }

    private void Filled(StoredResponse stored)
    {
        _fillsBody = false;
        if (!_toClient.HoldsLent)
        {
            stored.Body.Complete();
        }

        var whole = stored;
        if (stored.Length < 0)
        {
            whole = stored.Completed(stored.Body.Length);
            _storedEnd = _storedChunked ? -1 : stored.Body.Length;
        }

        _storeRule = _cache!.Store(whole);
        EndFill(FillState.Done, whole);
        ReleaseUpstream();
        if (_received is { Length: 0 })
        {
            ReturnAnswerBuffer();
        }
    }

    /// <summary>There is no room for all of it: the client gets what is there, and the rest as it comes.</summary>
    private void Overflowed(StoreRule rule)
    {
        _fillsBody = false;
        _storeRule = rule;
        _cache!.Passes.Add(_cache.HashOf(_fill!.Slot.Key), _loop.Now);
        EndFill(FillState.Broken);
        _drainsStored = true;
    }

    /// <summary>All that was stored before the room ended is sent: from here on the answer is passed as any other.</summary>
    private void StoredDrained()
    {
        if (_owesChunkEnd)
        {
            _toClient.Copy(ChunkedEncoder.ChunkEnd);
            _owesChunkEnd = false;
        }

        _drainsStored = _servesStored = false;
        LetGoStored();
    }

    private void LetGoStored()
    {
        if (_stored is { } stored)
        {
            _stored = null;
            stored.Body.Release();
        }
    }

    private void EndFill(FillState state, StoredResponse? response = null)
    {
        if (_fill is { } fill)
        {
            _fill = null;
            _fillsBody = false;
            fill.End(state, response);
            _cache!.End(fill);
        }
    }

    /// <summary>Whether it goes on when its client leaves.</summary>
    public bool GoesOnAlone()
    {
        if (_fill is null || _stage is not (Stage.Waiting or Stage.Connecting or Stage.Relaying) || !(_fillsBody || _fill.HasReaders))
        {
            return false;
        }

        _isAlone = true;
        _toClient.Clear();
        _client.SetDeadline((long)_options.ResponseHeadTimeout.TotalMilliseconds);
        return true;
    }

    private void ClientIsGone(Logging.Failure failure)
    {
        if (GoesOnAlone())
        {
            _client.LeaveAlone();
        }
        else
        {
            Finish(Ending.Abort, failure);
        }
    }

    /// <summary>Asks the app anew for something that has just been served stale; nobody waits for the answer.</summary>
    public void StartAlone()
    {
        _isAlone = _refreshes = true;
        BeginRequest();
        Route();
    }

    private void Refresh()
    {
        if (Request.Method == KnownMethod.Get && !Request.Has(KnownHeader.Range))
        {
            var head = _client.CopyOf(_headStart, Request.Consumed);
            var client = _client;
            _loop.Post(() => ClientConnection.RunAlone(client, head));
        }
    }

    private bool IsSafe() => Request.Method is KnownMethod.Get or KnownMethod.Head or KnownMethod.Options;

    private static long WallSeconds => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private bool HasOwnCookie() => Request.Has(KnownHeader.Cookie) && (_cache!.Settings.Cookies.Count == 0 || HasCookieOf(_cache.Settings.Cookies));

    private bool HasCookieOf(IReadOnlyList<string> names)
    {
        var buffer = _client.Received!.Slice(_headStart, Request.Consumed);
        foreach (ref readonly var field in Request.Fields)
        {
            if (field.Known != KnownHeader.Cookie)
            {
                continue;
            }

            var value = field.Value(buffer);
            foreach (var range in value.Split((byte)';'))
            {
                var pair = value[range].Trim(" \t"u8);
                var equals = pair.IndexOf((byte)'=');
                var name = equals < 0 ? pair : pair[..equals];
                foreach (var known in names)
                {
                    if (System.Text.Ascii.Equals(name, known))
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }
}
