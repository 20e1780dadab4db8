using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Postgres;

/// <summary>
/// Asks a server whether it takes connections, as <c>pg_isready</c> does: begins a session and goes away when asked for a password
/// (manual, chapter 55.2). It costs the server a process and no statement, and needs no secret. A server that hangs accepts, through
/// the kernel, and stays silent.
/// </summary>
internal static class StartupProbe
{
    private const int ProtocolVersion = 3 << 16;
    private const int MostAnswer = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // SQLSTATEs of a server that runs, but serves nobody yet or any more: starting up, shutting down, not consistent (cannot_connect_now).
    private const string CannotConnectNow = "57P03";

    /// <summary>Asks once. Every failure is an answer; only cancellation throws.</summary>
    public static async Task<HealthAnswer> AskAsync(ProbeSpec probe, TimeProvider time, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        HealthAnswer Answer(bool good, string text) => new(good, 0, text, time.GetElapsedTime(began));
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(probe.Address), probe.Port), bound.Token);
            await socket.SendAsync(Hello(probe.User.Length > 0 ? probe.User : ClusterNames.Replicator), bound.Token);
            var buffer = new byte[MostAnswer];
            var length = 0;
            while (length < buffer.Length)
            {
                var count = await socket.ReceiveAsync(buffer.AsMemory(length), bound.Token);
                length += count;
                if (Judge(buffer.AsSpan(0, length), out var good, out var text))
                {
                    return Answer(good, text);
                }

                if (count == 0)
                {
                    return Answer(false, "it closed the connection without an answer");
                }
            }

            return Answer(false, "its answer is none of PostgreSQL's");
        }
        catch (SocketException e)
        {
            return Answer(false, e.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Answer(false, $"no answer within {Patience.TotalSeconds:0} s");
        }
    }

    /// <summary>Judges what has come so far; false: more is needed.</summary>
    internal static bool Judge(ReadOnlySpan<byte> answer, out bool good, out string text)
    {
        (good, text) = (false, "");
        if (answer.IsEmpty)
        {
            return false;
        }

        if (answer[0] == 'R') // Authentication…: it would let us in with the right answer.
        {
            (good, text) = (true, "takes connections");
            return true;
        }

        if (answer[0] != 'E')
        {
            text = "its answer is none of PostgreSQL's";
            return true;
        }

        if (answer.Length < 5 || BinaryPrimitives.ReadInt32BigEndian(answer[1..]) is var length && length is >= 4 and < MostAnswer - 1 && answer.Length < length + 1)
        {
            return false;
        }

        var (state, message) = ("", "");
        for (var fields = answer[5..]; fields.Length > 1 && fields[0] != 0;)
        {
            var end = fields[1..].IndexOf((byte)0);
            if (end < 0)
            {
                break;
            }

            var value = Encoding.UTF8.GetString(fields.Slice(1, end));
            (state, message) = ((char)fields[0]) switch { 'C' => (value, message), 'M' => (state, value), _ => (state, message) };
            fields = fields[(end + 2)..];
        }

        // Whoever refuses for another reason (too many clients, say) serves others.
        good = state.Length > 0 && state != CannotConnectNow;
        text = message.Length > 0 ? message : "it refuses";
        return true;
    }

    private static byte[] Hello(string user)
    {
        var body = Encoding.UTF8.GetBytes($"user\0{user}\0database\0{ClusterNames.Maintenance}\0application_name\0ashlar-probe\0\0");
        var message = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), ProtocolVersion);
        body.CopyTo(message, 8);
        return message;
    }
}
