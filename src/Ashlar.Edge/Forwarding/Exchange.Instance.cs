using System.Diagnostics;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Logging;
using Ashlar.Http.Upstream;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>The way to an instance: acquire one, or wait for one; connect to it, or try another; give it back.</summary>
internal sealed partial class Exchange
{
    private void Acquire()
    {
        if (Request.Body != BodyFraming.None && ReceivesFirst())
        {
            return;
        }

        var result = _fromHop
            ? _service!.AcquireHere(_meant.Of(_client.Received!.Slice(_headStart, Request.Consumed)), _failed, out var instance)
            : _service!.Acquire(_failed, out instance);
        switch (result)
        {
            case AcquireResult.Acquired:
                Connect(instance!);
                break;
            case AcquireResult.Full:
                Wait();
                break;
            default:
                AnswerNoInstance();
                break;
        }
    }

    private void AnswerNoInstance()
    {
        if (_failed is null)
        {
            Answer(HttpProblem.NoInstance, Failure.NoInstance);
        }
        else
        {
            Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
        }
    }

    private void Wait()
    {
        _stage = Stage.Waiting;
        NoDeadline();
        _waitedFrom = Stopwatch.GetTimestamp();
        _edge.Metrics.WaitBegan(_service!.Series);
        if (!_place.Enter(_service!, _fromHop))
        {
            EndWait();
            Answer(HttpProblem.QueueFull, Failure.QueueFull);
        }
    }

    private void EndWait()
    {
        _waited += Stopwatch.GetTimestamp() - _waitedFrom;
        _edge.Metrics.WaitEnded(_service!.Series);
    }

    /// <summary>The wait has ended. On the loop; the exchange is still the one that waited.</summary>
    private void WaitEnded(WaitResult result, InstanceTarget? instance)
    {
        if (_stage != Stage.Waiting)
        {
            // The client has left meanwhile, and the exchange stayed out of use only for this.
            if (instance is not null)
            {
                _service!.Release(instance, Outcome.Abandoned);
            }

            Reset();
            return;
        }

        EndWait();
        switch (result)
        {
            case WaitResult.Granted:
                Connect(instance!);
                break;
            case WaitResult.TimedOut:
                Answer(HttpProblem.QueueTimeout, Failure.QueueTimeout);
                break;
            default:
                AnswerNoInstance();
                break;
        }

        _client.Advance();
    }

    private void Connect(InstanceTarget instance)
    {
        _instance = _asked = instance;
        if (IsForGateway && MustSpool)
        {
            // The service has come to be one of scripts while the request waited.
            ReleaseInstance(Outcome.Abandoned);
            BeginSpool();
            return;
        }

        _attempts++;
        var upstreams = _edge.Upstreams;
        var mustBeQuiet = !Request.Method.IsIdempotent();
        _upstream = _freshOnly ? null
            : instance.Machine is { } way ? upstreams.Take(way.Peer, this, mustBeQuiet)
            : upstreams.Take(instance.EndPoint, this, mustBeQuiet);
        if (_upstream is not null)
        {
            BeginRelay();
            return;
        }

        if (IsForGateway)
        {
            FreeWorkers(instance);
        }

        _connectingFrom = Stopwatch.GetTimestamp();
        Connecting(instance.Machine is { } machine
            ? upstreams.Connect(machine.Peer, this, out _upstream)
            : upstreams.Connect(instance.EndPoint, this, out _upstream));
    }

    private void Connecting(ConnectStatus status)
    {
        switch (status)
        {
            case ConnectStatus.Connected:
                BeginRelay();
                break;
            case ConnectStatus.Connecting:
                _stage = Stage.Connecting;
                NoDeadline();
                break;
            case ConnectStatus.Refused:
                NotConnected(Outcome.Refused);
                break;
            case ConnectStatus.Failed:
                NotConnected(Outcome.ConnectFailed);
                break;
            default:
                ReleaseInstance(Outcome.Abandoned);
                Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
                break;
        }
    }

    private void NotConnected(Outcome outcome)
    {
        if (_isBytes)
        {
            BytesNotConnected();
        }
        else
        {
            TryAnother(_instance!.Machine is null ? outcome : Outcome.MachineFailed);
        }
    }

    /// <summary>No connection to this instance came about, so nothing was sent: any request may go to another.</summary>
    private void TryAnother(Outcome outcome)
    {
        _failed = _instance;
        ReleaseInstance(outcome);
        if (_attempts >= _options.MaxAttempts)
        {
            Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
            return;
        }

        _retries++;
        Acquire();
    }

    private void ReleaseInstance(Outcome outcome)
    {
        if (_instance is { } instance)
        {
            _instance = null;
            _service!.Release(instance, outcome);
        }
    }

    /// <summary>The exchange's place in a waiting room; brings the wake-up to the loop.</summary>
    private sealed class Place : Waiter
    {
        private readonly Exchange _exchange;
        private readonly Action _arrive;
        private WaitResult _result;
        private InstanceTarget? _granted;

        public Place(Exchange exchange)
        {
            _exchange = exchange;
            _arrive = Arrive;
        }

        /// <summary>True: a wake-up will come, or is on its way.</summary>
        public bool IsAwaited { get; private set; }

        public bool Enter(ServiceTarget service, bool here)
        {
            IsAwaited = true;
            IsAwaited = service.Enqueue(this, here);
            return IsAwaited;
        }

        public new void Leave() => IsAwaited = !base.Leave();

        protected internal override void Wake(WaitResult result, InstanceTarget? instance)
        {
            _result = result;
            _granted = instance;
            _exchange._loop.Post(_arrive);
        }

        private void Arrive()
        {
            IsAwaited = false;
            var granted = _granted;
            _granted = null;
            try
            {
                _exchange.WaitEnded(_result, granted);
            }
            catch
            {
                _exchange._client?.Abort();
                throw;
            }
        }
    }
}
