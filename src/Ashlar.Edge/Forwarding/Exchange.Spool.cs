using Ashlar.Edge.Gateways;
using Ashlar.Edge.Logging;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>
/// Bodies that are received as a whole before an instance is taken, so that who sends slowly holds none: those of unknown length, where
/// it must be told before the body, into a spool; short ones, where an instance has few places, into the client's own buffer.
/// </summary>
internal sealed partial class Exchange
{
    private RequestSpool? _spool;
    private PooledBuffer? _spooled;

    private bool MustSpool => Request.Body == BodyFraming.Chunked && _service!.Scripts is not null && _spool is null;

    // An app that speaks HTTP says itself whether it wants a body that asks for leave (RFC 9110 section 10.1.1).
    private bool MustHold => Request.Body == BodyFraming.Length && _client.Received!.Length < Request.ContentLength
        && _bodyStart + Request.ContentLength <= BufferPool.Large && _service!.HasFewPlaces
        && (!Request.ExpectContinue || _service.Scripts is not null);

    private void ResetSpool()
    {
        _spool?.End();
        _spool = null;
        if (_spooled is not null)
        {
            _loop.Buffers.Return(_spooled);
            _spooled = null;
        }
    }

    /// <summary>True: the request is not ready for an instance; its body is being received, or it has been answered.</summary>
    private bool ReceivesFirst()
    {
        if (!MustSpool && !MustHold)
        {
            return false;
        }

        if (_service!.CanServe(_fromHop))
        {
            BeginSpool();
        }
        else
        {
            AnswerNoInstance();
        }

        return true;
    }

    private void BeginSpool()
    {
        _stage = Stage.Spooling;
        if (MustSpool)
        {
            _spool = new RequestSpool(_options.Limits, Math.Min(_maxBody, _options.MaxSpooledBody), _edge.Server.Spools);
        }

        _client.SetDeadline((long)_options.RequestBodyTimeout.TotalMilliseconds);
        if (Request.ExpectContinue && _client.Received!.Length == 0)
        {
            _toClient.Copy("HTTP/1.1 100 Continue\r\n\r\n"u8);
            _toClient.Flush(_client, out var sent);
            _sentToClient += sent;
        }

        Spool();
    }

    private void Spool()
    {
        StopBodyClock();
        var budget = FairShare;
        while (!IsBodyTaken())
        {
            if (budget <= 0)
            {
                _client.Yield();
                return;
            }

            if (!ReceiveBody(ref budget))
            {
                StartBodyClock();
                return;
            }

            _client.SetDeadline((long)_options.RequestBodyTimeout.TotalMilliseconds);
        }
    }

    /// <summary>Takes what was received. True: the exchange goes on in another way.</summary>
    private bool IsBodyTaken()
    {
        switch (_spool?.Take(_client.Received!) ?? (MustHold ? SpoolStatus.NeedMore : SpoolStatus.Done))
        {
            case SpoolStatus.NeedMore:
                return false;
            case SpoolStatus.Done:
                _replayable = true;
                _bodyStart = _client.Received!.Start;
                BeginRequestBody();
                Acquire();
                break;
            case SpoolStatus.Full:
                WriteSpool();
                break;
            case SpoolStatus.Bad:
                RefuseBody(_spool!.Problem!, Failure.BadRequest);
                break;
            case SpoolStatus.TooLarge:
                RefuseBody(HttpProblem.BodyTooLarge, Failure.BadRequest);
                break;
            case SpoolStatus.NoRoom:
                RefuseBody(HttpProblem.BodiesFull, Failure.QueueFull);
                break;
        }

        return true;
    }

    private void WriteSpool()
    {
        var spool = _spool!;
        var ticket = Await(Stage.Spooling);
        LookDeadline();
        if (!_edge.Server.Workers.TryRun(_loop, spool.WriteOut, () => Continue(ticket, () => SpoolWritten(spool)), () => IsAwaited(ticket)))
        {
            AnswerUnawaited(HttpProblem.BodiesFull, Failure.QueueFull);
        }
    }

    private void SpoolWritten(RequestSpool spool)
    {
        if (spool.IsWrittenOut)
        {
            _client.SetDeadline((long)_options.RequestBodyTimeout.TotalMilliseconds);
            Spool();
        }
        else
        {
            RefuseBody(HttpProblem.BodiesFull, Failure.QueueFull);
        }
    }

    private void SpoolTimedOut()
    {
        if (_isAwaiting)
        {
            AnswerUnawaited(HttpProblem.LookTimeout, Failure.QueueTimeout);
        }
        else
        {
            RefuseBody(HttpProblem.BodyTimeout, Failure.ClientTimeout);
        }
    }

    /// <summary>Where the body comes from that is sent now.</summary>
    private PooledBuffer BodySource => _spool is null ? _client.Received! : _spooled ??= _loop.Buffers.RentLarge();

    /// <summary>Reads on in the spool. False: that was all.</summary>
    private bool ReadSpool(ref int budget)
    {
        _spooled!.Clear();
        var read = _spool!.Read(_spooled.Free);
        _spooled.End += read;
        budget -= read;
        return read > 0;
    }
}
