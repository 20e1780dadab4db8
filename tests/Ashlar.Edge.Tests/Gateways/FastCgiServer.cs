using System.Buffers.Binary;
using System.Text;
using Ashlar.Edge.Tests.Forwarding;

namespace Ashlar.Edge.Tests.Gateways;

/// <summary>A request as a FastCGI server gets it.</summary>
internal sealed record FastCgiRequest(Dictionary<string, string> Variables, byte[] Body);

/// <summary>The server's side of FastCGI, as far as tests need it.</summary>
internal static class FastCgiServer
{
    /// <summary>The next request; null at the end of the stream.</summary>
    public static async Task<FastCgiRequest?> ReadAsync(AppConnection connection)
    {
        var parameters = new MemoryStream();
        var body = new MemoryStream();
        while (true)
        {
            byte[] header;
            try
            {
                header = await connection.ReadExactlyAsync(8);
            }
            catch (IOException)
            {
                return null;
            }

            var content = await connection.ReadExactlyAsync(BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(4)));
            await connection.ReadExactlyAsync(header[6]);
            switch (header[1])
            {
                case 4:
                    parameters.Write(content);
                    break;
                case 5 when content.Length == 0:
                    return new FastCgiRequest(Pairs(parameters.ToArray()), body.ToArray());
                case 5:
                    body.Write(content);
                    break;
            }
        }
    }

    public static byte[] Record(byte type, ReadOnlySpan<byte> content, int padding = 0)
    {
        var record = new byte[8 + content.Length + padding];
        (record[0], record[1], record[3], record[6]) = (1, type, 1, (byte)padding);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(4), (ushort)content.Length);
        content.CopyTo(record.AsSpan(8));
        return record;
    }

    public static byte[] Stdout(string text, int padding = 0) => Record(6, Encoding.Latin1.GetBytes(text), padding);

    public static byte[] Stderr(string text) => Record(7, Encoding.Latin1.GetBytes(text));

    public static byte[] End(byte protocolStatus = 0) => Record(3, [0, 0, 0, 0, protocolStatus, 0, 0, 0]);

    /// <summary>Answers each request, and keeps the connection.</summary>
    public static ScriptedApp Answering(Func<FastCgiRequest, byte[]> answer, string? socket = null) => new(
        async connection =>
        {
            while (await ReadAsync(connection) is { } request)
            {
                await connection.SendAsync(answer(request));
            }
        },
        socket);

    private static Dictionary<string, string> Pairs(byte[] bytes)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var at = 0; at < bytes.Length;)
        {
            var name = Length(bytes, ref at);
            var value = Length(bytes, ref at);
            pairs.Add(Encoding.Latin1.GetString(bytes, at, name), Encoding.Latin1.GetString(bytes, at + name, value));
            at += name + value;
        }

        return pairs;
    }

    private static int Length(byte[] bytes, ref int at)
    {
        if (bytes[at] < 128)
        {
            return bytes[at++];
        }

        at += 4;
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at - 4)) & 0x7fff_ffff);
    }
}
