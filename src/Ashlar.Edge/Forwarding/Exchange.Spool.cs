using Ashlar.Edge.Gateways;
using Ashlar.Edge.Logging;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>A body of unknown length, which is received as a whole before an instance that must be told its length is asked.</summary>
internal sealed partial class Exchange
{
    private RequestSpool? _spool;
    private PooledBuffer? _spooled;

    private bool MustSpool => IsForGateway && Request.Body == BodyFraming.Chunked && _spool is null;

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

    private void BeginSpool()
    {
        _stage = Stage.Spooling;
        _spool = new RequestSpool(_options.Limits, Math.Min(_maxBody, _options.MaxSpooledBody));
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
        var budget = FairShare;
        while (_stage == Stage.Spooling)
        {
            switch (_spool!.Take(_client.Received!))
            {
                case SpoolStatus.Done:
                    _replayable = true;
                    _bodyStart = _client.Received!.Start;
                    Connect(_instance!);
                    return;
                case SpoolStatus.Bad:
                    RefuseBody(_spool.Problem!, Failure.BadRequest);
                    return;
                case SpoolStatus.TooLarge:
                    RefuseBody(HttpProblem.BodyTooLarge, Failure.BadRequest);
                    return;
                case SpoolStatus.Full:
                    WriteSpool();
                    return;
            }

            if (budget <= 0)
            {
                _client.Yield();
                return;
            }

            if (!ReceiveBody(ref budget))
            {
                return;
            }

            _client.SetDeadline((long)_options.RequestBodyTimeout.TotalMilliseconds);
        }
    }

    private void WriteSpool()
    {
        var spool = _spool!;
        var ticket = Await(Stage.Spooling);
        _client.ClearDeadline();
        if (!_edge.Server.Workers.TryRun(_loop, spool.WriteOut, () => Continue(ticket, () => SpoolWritten(spool))))
        {
            RefuseBody(HttpProblem.Overloaded, Failure.QueueFull);
        }
    }

    private void SpoolWritten(RequestSpool spool)
    {
        if (spool.HasRoom)
        {
            _client.SetDeadline((long)_options.RequestBodyTimeout.TotalMilliseconds);
            Spool();
        }
        else
        {
            RefuseBody(HttpProblem.Overloaded, Failure.QueueFull);
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
