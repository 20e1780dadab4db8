using System.Buffers.Binary;
using System.Globalization;
using Ashlar.Errors;
using Ashlar.Processes;
using static Ashlar.Edge.Gateways.Cgi.PollCalls;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>
/// One request: starts the script, gives it the body, and sends what it says as records. Its end, that of its time and that of the client
/// all come to one loop.
/// </summary>
internal sealed class ScriptRun(CgiConnection connection, CgiServer server)
{
    private const int OutputSize = 32 * 1024;

    // A script whose answer has been taken may finish what it does; one that is asked to end has so long for it.
    private const int FinishMs = 5_000;
    private const int EndMs = 2_000;
    private const int SendMs = 30_000;

    private readonly byte[] _output = new byte[FastCgi.HeaderLength + OutputSize];
    private int _start;
    private int _end;
    private long _relayed;
    private long _deadline;
    private long _answeredBy;
    private int _signals;
    private bool _hasEnded;
    private bool _hasSaid;
    private bool _isClientGone;
    private bool _isLate;
    private string _name = "";

    /// <summary>Serves it. False: the connection is of no further use.</summary>
    public bool Serve()
    {
        var environment = server.VariablesFor(connection.Request.Variables, out var facts);
        _name = facts.Script is { Length: > 0 } script ? script : server.Options.Run ?? "?";
        if (environment is null)
        {
            return false;
        }

        if (server.Find(facts.File) is not { } found)
        {
            server.Say($"{_name}: there is no such script");
            return Refuse(CgiStatus.NotFound);
        }

        if (!server.TakeProcess())
        {
            server.Say(string.Create(CultureInfo.InvariantCulture, $"{_name}: {server.Options.Processes} scripts run, and none has ended for a while; the request is refused"));
            return Refuse(CgiStatus.None, ProtocolStatus.Overloaded);
        }

        try
        {
            using var process = PipedProcess.Start(found.Command, environment, found.Folder);
            return Relay(process, discards: facts.Method == "HEAD");
        }
        catch (AshlarException e)
        {
            server.Say($"{_name}: {e.Error.Message} {e.Error.NextStep}");
            return Refuse(CgiStatus.NotStarted);
        }
        finally
        {
            server.GiveBackProcess();
        }
    }

    private bool Relay(PipedProcess process, bool discards)
    {
        _deadline = Environment.TickCount64 + (long)server.Options.Time.TotalMilliseconds;
        while (!_hasEnded || !_hasSaid || _start < _end)
        {
            SettleInput(process);
            Span<Watched> watched =
            [
                new(_isClientGone ? -1 : connection.Fd, (short)(PeerClosed | (_start < _end ? Out : 0) | (WantsInput ? In : 0))),
                new(connection.IsEmpty ? -1 : process.Input, Out),
                new(_hasSaid || _start < _end ? -1 : process.Output, In),
                new(_hasEnded ? -1 : process.Handle, In),
            ];
            Wait(watched, Patience());
            _hasEnded |= watched[3].Found != 0;
            if (watched[1].Found != 0)
            {
                GiveInput(process);
            }

            if (!_hasSaid && _start == _end && (watched[2].Found != 0 || _hasEnded))
            {
                TakeOutput(process);
            }

            if (watched[0].Found != 0)
            {
                TalkToClient(process, watched[0].Found, discards);
            }

            if (!_hasEnded && Environment.TickCount64 >= _deadline)
            {
                Hasten(process);
            }
            else if (_hasSaid && !_hasEnded && !_isClientGone && _start == _end && Environment.TickCount64 >= _answeredBy)
            {
                // It has closed its output and goes on: that was the answer.
                Finish(CgiStatus.None);
                _isClientGone = true;
            }
        }

        return Close(process);
    }

    private bool WantsInput => connection.IsEmpty && connection.Request.Status == RequestStatus.Body;

    private int Patience()
    {
        if (_hasEnded)
        {
            return _start < _end ? Timeout.Infinite : 0;
        }

        var until = _hasSaid && !_isClientGone ? Math.Min(_deadline, _answeredBy) : _deadline;
        return (int)Math.Clamp(until - Environment.TickCount64, 0, int.MaxValue);
    }

    private void SettleInput(PipedProcess process)
    {
        if (process.Input < 0)
        {
            // It wants no more of the body: the rest is received for nobody.
            connection.Start = connection.End;
        }
        else if (connection.IsEmpty && connection.Request.Status == RequestStatus.Complete)
        {
            process.CloseInput();
        }
    }

    private void GiveInput(PipedProcess process)
    {
        var written = Write(process.Input, connection.Received.AsSpan(connection.Start..connection.End));
        if (written < 0)
        {
            process.CloseInput();
        }
        else
        {
            connection.Start += written;
        }
    }

    private void TakeOutput(PipedProcess process)
    {
        var count = Read(process.Output, _output.AsSpan(FastCgi.HeaderLength));
        if (count > 0 && !_isClientGone)
        {
            FastCgi.WriteHeader(_output, RecordType.Stdout, count);
            (_start, _end) = (0, FastCgi.HeaderLength + count);
            _relayed += count;
        }
        else if (count == 0 || (count < 0 && _hasEnded))
        {
            // What it has said is all there when it has ended, whoever of its children still holds the pipe.
            _hasSaid = true;
            _answeredBy = Environment.TickCount64 + EndMs;
        }
    }

    private void TalkToClient(PipedProcess process, short found, bool discards)
    {
        var isGone = (found & Gone) != 0;
        if (!isGone && (found & Out) != 0)
        {
            var written = Write(connection.Fd, _output.AsSpan(_start.._end));
            isGone = written < 0;
            _start += Math.Max(0, written);
        }

        if (!isGone && (found & In) != 0)
        {
            isGone = !connection.Receive();
        }

        if (!isGone)
        {
            return;
        }

        _isClientGone = true;
        _start = _end = connection.Start = connection.End = 0;
        process.CloseInput();
        if (_relayed == 0)
        {
            server.Say($"{_name}: the client has gone before it had an answer; the script is ended");
            Ask(process);
        }
        else if (!discards)
        {
            _deadline = Math.Min(_deadline, Environment.TickCount64 + FinishMs);
        }
    }

    private void Hasten(PipedProcess process)
    {
        if (_signals > 0)
        {
            process.Signal(Signals.Kill);
            _deadline = long.MaxValue;
            return;
        }

        if (!_isClientGone)
        {
            _isLate = true;
            server.Say(string.Create(CultureInfo.InvariantCulture, $"{_name}: it has run for {server.Options.Time.TotalSeconds:0.###} s, which is the most; it is ended"));
        }

        Ask(process);
    }

    private void Ask(PipedProcess process)
    {
        _signals++;
        process.Signal(Signals.Terminate);
        process.Signal(Signals.Continue);
        _deadline = Environment.TickCount64 + EndMs;
    }

    private bool Close(PipedProcess process)
    {
        if (_signals > 0)
        {
            // What is left of its group: as long as it is not reaped, the group is no one else's.
            process.Signal(Signals.Kill);
        }

        var exit = process.Exit()!;
        if (_isClientGone)
        {
            return false;
        }

        if (!_isLate && (_relayed == 0 || !exit.Success))
        {
            server.Say($"{_name}: {exit}{(_relayed == 0 ? " before it had answered" : "")}");
        }

        var isCutOff = _isLate || exit.Signal is not null;
        if (_relayed > 0 && isCutOff)
        {
            // The edge must not take it for the whole answer.
            return false;
        }

        return Finish(_isLate ? CgiStatus.TimedOut : CgiStatus.None);
    }

    private bool Refuse(CgiStatus status, ProtocolStatus protocol = ProtocolStatus.Complete) =>
        Finish(status, protocol) && connection.IsEmpty && connection.Request.Status == RequestStatus.Complete;

    /// <summary>Ends the request. False: the other side has gone.</summary>
    private bool Finish(CgiStatus status, ProtocolStatus protocol = ProtocolStatus.Complete)
    {
        const int BodyLength = 8;
        var record = _output.AsSpan(0, FastCgi.HeaderLength + FastCgi.HeaderLength + BodyLength);
        record.Clear();
        FastCgi.WriteHeader(record, RecordType.Stdout, 0);
        FastCgi.WriteHeader(record[FastCgi.HeaderLength..], RecordType.EndRequest, BodyLength);
        BinaryPrimitives.WriteUInt32BigEndian(record[(2 * FastCgi.HeaderLength)..], (uint)status);
        record[2 * FastCgi.HeaderLength + sizeof(uint)] = (byte)protocol;
        while (!record.IsEmpty)
        {
            var written = Write(connection.Fd, record);
            if (written < 0)
            {
                return false;
            }

            record = record[written..];
            if (written == 0)
            {
                Span<Watched> watched = [new(connection.Fd, Out)];
                Wait(watched, SendMs);
                if (watched[0].Found == 0)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
