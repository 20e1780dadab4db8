using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Ashlar.Dns.Wire;
using Record = Ashlar.Dns.Wire.Record;

namespace Ashlar.Dns.Tests.Resolving;

/// <summary>A name server on loopback that answers as a test says, over UDP and TCP.</summary>
internal sealed class FalseServer : IAsyncDisposable
{
    private readonly UdpClient _udp;
    private readonly TcpListener _tcp;
    private readonly Func<byte[], bool, IEnumerable<byte[]>> _answers;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task[] _serving;
    private int _queries;

    /// <summary>Begins.</summary>
    /// <param name="answers">The messages to send back to a query; the second argument says whether it came over TCP.</param>
    public FalseServer(Func<byte[], bool, IEnumerable<byte[]>> answers)
    {
        _answers = answers;
        while (true)
        {
            _tcp = new TcpListener(IPAddress.Loopback, 0);
            _tcp.Start();
            try
            {
                _udp = new UdpClient((IPEndPoint)_tcp.LocalEndpoint);
                break;
            }
            catch (SocketException)
            {
                _tcp.Dispose();
            }
        }

        _serving = [ServeUdpAsync(), ServeTcpAsync()];
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address => (IPEndPoint)_tcp.LocalEndpoint;

    /// <summary>Queries that came.</summary>
    public int Queries => Volatile.Read(ref _queries);

    /// <summary>An answer with addresses to a query.</summary>
    public static byte[] Answer(byte[] query, uint life, params string[] addresses) => Answer(query, new Response
    {
        IsRecursive = true,
        Answers = [.. addresses.Select(address => new Record(Query.Read(query)!.Question!.Value.Name, RecordType.A, life, new RecordData(IPAddress.Parse(address).GetAddressBytes())))],
    });

    /// <summary>An answer to a query.</summary>
    public static byte[] Answer(byte[] query, Response response)
    {
        var into = new byte[ushort.MaxValue];
        return into[..ResponseWriter.Write(Query.Read(query)!, response, into)];
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
        await Task.WhenAll(_serving);
        _ending.Dispose();
    }

    private async Task ServeUdpAsync()
    {
        try
        {
            while (true)
            {
                var query = await _udp.ReceiveAsync(_ending.Token);
                Interlocked.Increment(ref _queries);
                foreach (var answer in _answers(query.Buffer, false))
                {
                    await _udp.SendAsync(answer, query.RemoteEndPoint, _ending.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeTcpAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _tcp.AcceptTcpClientAsync(_ending.Token);
                var stream = client.GetStream();
                var header = new byte[2];
                await stream.ReadExactlyAsync(header, _ending.Token);
                var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(header)];
                await stream.ReadExactlyAsync(query, _ending.Token);
                foreach (var answer in _answers(query, true))
                {
                    await stream.WriteAsync((byte[])[(byte)(answer.Length >> 8), (byte)answer.Length, .. answer], _ending.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or IOException)
        {
        }
    }
}
