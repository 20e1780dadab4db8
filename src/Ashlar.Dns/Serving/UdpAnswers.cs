using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ashlar.Catalog.Channel;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Wire;
using Ashlar.Monitoring;

namespace Ashlar.Dns.Serving;

/// <summary>
/// Answers over UDP: a thread for each socket, between which the kernel divides the clients, many datagrams in one call, and no allocation for what was
/// asked before. Where two generations hold the socket each datagram goes to one of them, so none is lost when one ends.
/// </summary>
internal sealed unsafe class UdpAnswers : IDisposable
{
    private const int Batch = 64;
    private const int MostOfQuery = 4096;
    private const int NameRoom = 32;
    private const int ControlRoom = 64;

    // How long a thread that is to end waits for one more query.
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(250);
    private readonly Descriptor _socket;
    private readonly Func<AnswerView> _view;
    private readonly AnswerLimit _limit;
    private readonly DnsMetrics _metrics;
    private readonly MetricsSlot _slot;
    private readonly ReadyAnswers _ready = new();
    private readonly Thread _thread;
    private AnswerView? _readyFrom;
    private long _now;
    private bool _cuts;
    private volatile bool _ended;

    /// <summary>Begins to answer.</summary>
    /// <param name="socket">The socket; disposed of at the end. Other processes may hold it too.</param>
    /// <param name="index">Number of the thread, from 0.</param>
    /// <param name="view">What is answered from.</param>
    /// <param name="limit">Rates, of all threads together.</param>
    /// <param name="metrics">Counts.</param>
    public UdpAnswers(Descriptor socket, int index, Func<AnswerView> view, AnswerLimit limit, DnsMetrics metrics)
    {
        (_socket, _view, _limit, _metrics, _slot) = (socket, view, limit, metrics, metrics.Slot(index));
        var yes = 1;
        long* turn = stackalloc long[2] { 0, (long)Turn.TotalMicroseconds };
        _ = Sockets.SetOption(socket.Number, Sockets.OfSocket, Sockets.ReceiveTimeout, turn, 2 * sizeof(long));

        // Answers go out from the address that was asked, also where the machine has several.
        // A socket for both families says both, which no answer may carry; what it says as the sixth's holds for either.
        if (Sockets.SetOption(socket.Number, Sockets.OfInternet6, Sockets.ReceivePacketInformation6, &yes, sizeof(int)) != 0)
        {
            _ = Sockets.SetOption(socket.Number, Sockets.OfInternet, Sockets.PacketInformation, &yes, sizeof(int));
        }
        _thread = new Thread(Serve) { IsBackground = true, Name = $"dns-udp-{index}" };
        _thread.Start();
    }

    /// <summary>Ends after the datagrams that are being answered; the others are left to whoever holds the socket.</summary>
    public void Dispose()
    {
        _ended = true;
        _thread.Join();
        _socket.Dispose();
    }

    private void Serve()
    {
        var room = (nuint)(Batch * (sizeof(Datagram) + sizeof(Piece) + MostOfQuery + ResponseWriter.OwnSize + NameRoom + ControlRoom));
        var memory = (byte*)NativeMemory.AllocZeroed(room);
        try
        {
            var batch = new DatagramBatch(memory);
            while (!_ended)
            {
                batch.Prepare();
                var received = Sockets.ReceiveMany(_socket.Number, batch.Messages, Batch, Sockets.WaitForOne, null);
                if (received < 0)
                {
                    if (Marshal.GetLastPInvokeError() == Sockets.BadDescriptor)
                    {
                        return;
                    }

                    continue;
                }

                Answer(ref batch, received);
            }
        }
        finally
        {
            NativeMemory.Free(memory);
        }
    }

    private void Answer(ref DatagramBatch batch, int received)
    {
        var view = _view();
        if (!ReferenceEquals(view, _readyFrom))
        {
            _ready.Clear();
            _readyFrom = view;
        }

        var answers = 0;
        _now = Environment.TickCount64 * 1000;
        for (var i = 0; i < received; i++)
        {
            var written = Answer(batch.Query(i), view, ref batch, i, batch.Answer(answers));
            if (written > 0)
            {
                batch.Address(answers++, i, written);
            }
        }

        for (var sent = 0; sent < answers;)
        {
            // One that cannot be sent (its address is none) is passed over.
            sent += Math.Max(1, Sockets.SendMany(_socket.Number, batch.Messages + sent, (uint)(answers - sent), Sockets.DoNotWait | Sockets.NoSignal));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Answer(ReadOnlySpan<byte> message, AnswerView view, ref DatagramBatch batch, int index, Span<byte> into)
    {
        var isTrusted = view.Trusted.ContainsSocketAddress(batch.Name(index));
        var isPlain = _ready.Read(message, isTrusted);
        if (isPlain && _ready.Write(message, into) is > 0 and var ready)
        {
            if (!isTrusted && !_limit.Allows(batch.Name(index), _ready.Hash, into[..ready], _now, view.Rate))
            {
                return Limited(message, into);
            }

            _metrics.Udp(_slot, into[..ready], wasReady: true);
            return ready;
        }

        var written = 0;
        if (Query.Read(message) is { } query)
        {
            if (QueryCourse.Answer(query, view, isTrusted, out var isLasting) is not { } response)
            {
                _metrics.Forwarded(_slot);
                _ = ForwardAsync(query, view, new Client(batch.Name(index).ToArray(), batch.Control(index).ToArray()));
                return 0;
            }

            written = Responder.Write(query, response, overTcp: false, into);
            if (isPlain && isLasting)
            {
                _ready.Keep(into[..written]);
            }

            if (!isTrusted && !_limit.Allows(batch.Name(index), isPlain ? _ready.Hash : 0, into[..written], _now, view.Rate))
            {
                return Limited(message, into);
            }
        }

        _metrics.Udp(_slot, into[..written], wasReady: false);
        return written;
    }

    // Of what is beyond the rate every second one is told to ask over TCP, where nobody speaks in another's name; that answer is no longer than the query.
    private int Limited(ReadOnlySpan<byte> message, Span<byte> into)
    {
        _cuts = !_cuts;
        var written = _cuts && Query.Read(message) is { } query ? Responder.Write(query, Responder.Cut, overTcp: false, into) : 0;
        _metrics.Limited(_slot, into[..written]);
        return written;
    }

    private Task ForwardAsync(Query query, AnswerView view, Client client) =>
        QueryCourse.AskAsync(query, view).ContinueWith(asked => Came(query, asked.Result, client), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    private void Came(Query query, Response response, Client client)
    {
        var answer = new byte[ResponseWriter.OwnSize];
        var length = Responder.Write(query, response, overTcp: false, answer);
        _metrics.Came(answer.AsSpan(0, length));
        Send(answer.AsSpan(0, length), client);
    }

    private void Send(ReadOnlySpan<byte> answer, Client client)
    {
        var held = false;
        try
        {
            _socket.DangerousAddRef(ref held);
            fixed (byte* octets = answer, name = client.Name, control = client.Control)
            {
                var piece = new Piece { Base = octets, Length = (nuint)answer.Length };
                var message = new Datagram
                {
                    Name = name,
                    NameLength = (uint)client.Name.Length,
                    Pieces = &piece,
                    PieceCount = 1,
                    Control = client.Control.Length == 0 ? null : control,
                    ControlLength = (nuint)client.Control.Length,
                };
                _ = Sockets.SendMany(_socket.Number, &message, 1, Sockets.DoNotWait | Sockets.NoSignal);
            }
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile; the client asks again.
        }
        finally
        {
            if (held)
            {
                _socket.DangerousRelease();
            }
        }
    }

    private sealed record Client(byte[] Name, byte[] Control);

    /// <summary>Memory of a batch: each datagram has its place for a query, an answer, an address, and the address that was asked.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly ref struct DatagramBatch(byte* memory)
    {
        private readonly Piece* _pieces = (Piece*)(memory + (Batch * sizeof(Datagram)));
        private readonly byte* _queries = memory + (Batch * (sizeof(Datagram) + sizeof(Piece)));
        private readonly byte* _answers = memory + (Batch * (sizeof(Datagram) + sizeof(Piece) + MostOfQuery));
        private readonly byte* _names = memory + (Batch * (sizeof(Datagram) + sizeof(Piece) + MostOfQuery + ResponseWriter.OwnSize));
        private readonly byte* _controls = memory + (Batch * (sizeof(Datagram) + sizeof(Piece) + MostOfQuery + ResponseWriter.OwnSize + NameRoom));

        public readonly Datagram* Messages = (Datagram*)memory;

        public void Prepare()
        {
            for (var i = 0; i < Batch; i++)
            {
                _pieces[i] = new Piece { Base = _queries + (i * MostOfQuery), Length = MostOfQuery };
                Messages[i] = new Datagram
                {
                    Name = _names + (i * NameRoom),
                    NameLength = NameRoom,
                    Pieces = _pieces + i,
                    PieceCount = 1,
                    Control = _controls + (i * ControlRoom),
                    ControlLength = ControlRoom,
                };
            }
        }

        public ReadOnlySpan<byte> Query(int index) => new(_queries + (index * MostOfQuery), (int)Messages[index].Length);

        public ReadOnlySpan<byte> Name(int index) => new(_names + (index * NameRoom), (int)Math.Min(NameRoom, Messages[index].NameLength));

        public ReadOnlySpan<byte> Control(int index) => new(_controls + (index * ControlRoom), (int)Math.Min(ControlRoom, Messages[index].ControlLength));

        public Span<byte> Answer(int index) => new(_answers + (index * ResponseWriter.OwnSize), ResponseWriter.OwnSize);

        /// <summary>Makes the message at a place an answer to the client of the query at the same place or a later one.</summary>
        public void Address(int place, int query, int length)
        {
            var (nameLength, controlLength) = (Messages[query].NameLength, Messages[query].ControlLength);
            _pieces[place] = new Piece { Base = _answers + (place * ResponseWriter.OwnSize), Length = (nuint)length };
            Messages[place].Name = _names + (query * NameRoom);
            Messages[place].NameLength = nameLength;
            Messages[place].Control = controlLength == 0 ? null : _controls + (query * ControlRoom);
            Messages[place].ControlLength = controlLength;
        }
    }
}
