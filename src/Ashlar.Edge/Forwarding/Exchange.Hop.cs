using Ashlar.Edge.Balancing;
using Ashlar.Edge.Hopping;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Routing;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>Requests from and to other machines of the stack, and bytes that only have to get there.</summary>
internal sealed partial class Exchange
{
    // It comes from another machine's edge; the instance meant there, by name.
    private bool _fromHop;
    private ByteRange _meant;

    // What flows is an engine's own protocol; towards another machine: the engine there.
    private bool _isBytes;
    private EngineElsewhere? _engine;

    private void BeginHop()
    {
        _fromHop = _client.Listener.IsHop;
        if (_fromHop && Request.Consumed > 0 && Request.Find(KnownHeader.XRequestId) is { Length: RequestIds.Length } id)
        {
            // One request, one id, on every machine.
            id.Of(_client.Received!.Slice(_client.Received.Start, Request.Consumed)).CopyTo(_requestId);
        }
    }

    private void ResetHop()
    {
        _fromHop = _isBytes = false;
        _meant = default;
        _engine = null;
    }

    private void RouteBetweenMachines(RoutingTable routes, ReadOnlySpan<byte> buffer)
    {
        if (!_fromHop)
        {
            _isBytes = true;
            ConnectToEngineElsewhere(routes.Hops);
            return;
        }

        if (!routes.Hops.IsMember(_client.PeerName))
        {
            // It may be one that this machine has not heard of yet: let it ask another.
            Answer(HttpProblem.NoInstance, Failure.NoInstance);
            return;
        }

        var field = Request.Find(KnownHeader.AshlarHop);
        HopField.Split(field.Of(buffer), out var service, out var instance);
        _meant = new ByteRange(field.End - instance.Length, instance.Length);
        if (service.SequenceEqual(":bytes"u8))
        {
            _isBytes = true;
            ConnectToEngine(routes.Hops);
        }
        else if ((_service = routes.ByName(service)) is null)
        {
            Answer(HttpProblem.NoInstance, Failure.NoInstance);
        }
        else
        {
            Acquire();
        }
    }

    private void ConnectToEngineElsewhere(HopTable hops)
    {
        _engine = hops.Elsewhere(_client.Listener.Forward!);

        // A machine that is known not to answer is not waited for: the client tries again by itself.
        if (_engine is null || (_engine.Machine.IsEjected && !_engine.Machine.Ejection.TryTakeTrial()))
        {
            Finish(Ending.Abort, Failure.NoInstance);
            return;
        }

        Connecting(_edge.Upstreams.Connect(_engine.Machine.Peer, this, out _upstream));
    }

    private void ConnectToEngine(HopTable hops)
    {
        var head = _client.Received!.Slice(_headStart, Request.Consumed);
        if (Request.Upgrade && hops.Here(_meant.Of(head)) is { } endPoint)
        {
            Connecting(_edge.Upstreams.Connect(endPoint, this, out _upstream));
        }
        else
        {
            Answer(HttpProblem.NoInstance, Failure.NoInstance);
        }
    }

    private void BytesNotConnected()
    {
        if (_engine is { Machine: { } machine })
        {
            _edge.Server.Ejected(machine);
        }

        Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
    }

    /// <summary>The engine's connection stands: from now on its bytes flow.</summary>
    private void OpenToEngine()
    {
        _requestDone = true;
        _answered = true;
        _status = 101;
        _toClient.Copy(HopField.Opened);
        BeginTunnel();
    }

    /// <summary>The answer's head, which has just been read, is for us and not for the client.</summary>
    private bool IsOfHop() => _isBytes
        || (_instance is { Machine: not null } && Response.Status == 503 && Response.Has(KnownHeader.AshlarHop));

    /// <summary>The other machine's edge says how busy the instance is, which it serves for clients of its own and of third machines, too.</summary>
    private void HearLoad()
    {
        if (Response.Has(KnownHeader.AshlarHop) && HopField.ReadLoad(Response.Find(KnownHeader.AshlarHop).Of(_received!.Data)) is >= 0 and var load)
        {
            _instance!.Heard(load);
        }
    }

    /// <summary>False: the exchange has taken another course.</summary>
    private bool FollowHop()
    {
        if (!_isBytes)
        {
            NotThere();
            return false;
        }

        if (Response.Status != 101)
        {
            _engine!.Machine.TrialEnded();
            Finish(Ending.Abort, Failure.NoInstance);
            return false;
        }

        _engine!.Machine.Succeeded();
        _received!.Start += Response.Consumed;
        _answered = true;
        _status = 101;
        BeginTunnel();
        return true;
    }

    /// <summary>The other machine has nothing to serve the request with, and no app has seen it: it may go elsewhere.</summary>
    private void NotThere()
    {
        var isWhole = _requestDone && Response.KeepAlive && Response.ContentLength == 0 && _received!.Length == Response.Consumed;
        ReturnAnswerBuffer();
        if (isWhole)
        {
            _upstream!.GiveBack(reusable: true);
            _upstream = null;
        }

        BreakOffUpstream();
        Response.Reset();
        _heardUpstream = false;
        _instance!.Machine!.Succeeded();
        if (_replayable)
        {
            Rewind();
            TryAnother(Outcome.Refused);
        }
        else
        {
            ReleaseInstance(Outcome.Refused);
            Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
        }
    }

    /// <summary>The other machine does not take us for one of the stack, and has read nothing of the request.</summary>
    private void NotAccepted(string reason)
    {
        if (_isBytes)
        {
            BytesNotConnected();
            return;
        }

        _instance!.Machine!.Peer.NotSecured(reason);
        if (_replayable)
        {
            Rewind();
            TryAnother(Outcome.MachineFailed);
        }
        else
        {
            ReleaseInstance(Outcome.MachineFailed);
            Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
        }
    }

    /// <summary>Answers another edge, which chooses again, or a client that speaks no HTTP. False: an ordinary answer will do.</summary>
    private bool AnswerBetweenMachines(HttpProblem problem)
    {
        if (_isBytes && !_fromHop)
        {
            Finish(Ending.Abort, _failure);
            return true;
        }

        if (problem != HttpProblem.NoInstance && problem != HttpProblem.ConnectFailed)
        {
            return false;
        }

        BeginOwnAnswer(503);
        _toClient.Copy(HopField.None(_keepAlive));
        return true;
    }
}
