using System.Collections.Immutable;
using System.Net.Sockets;
using System.Text;
using Ashlar.Http.Wire;
using Ashlar.Processes;

namespace Ashlar.Edge.Gateways;

/// <summary>Where the scripts of an instance lie that speaks FastCGI.</summary>
/// <param name="Folder">Folder that it was started in.</param>
/// <param name="Root">Folder below it with the scripts; null: there is one app.</param>
/// <param name="TryFiles">What a path may be; none: the default.</param>
/// <param name="IsCgi">True: every file is a script; else those with .php.</param>
public sealed record GatewayScripts(string Folder, string? Root, ImmutableArray<string> TryFiles, bool IsCgi);

/// <summary>Asks an instance that speaks FastCGI for its health as a client of the edge would: one GET of the path, which the same script answers.</summary>
public static class GatewayHealth
{
    private const int Room = 16 * 1024;
    private const int FlagsOfBegin = 10;

    /// <summary>Asks once. Every failure is an answer; only cancellation throws.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="scripts">Where its scripts lie.</param>
    /// <param name="time">The clock of the timeout.</param>
    /// <param name="cancellation">Ends it.</param>
    public static Task<HealthAnswer> AskAsync(HealthQuestion question, GatewayScripts scripts, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        var answer = new Answer();
        return Request(question, scripts) is { } request
            ? HealthProbe.AskAsync(question, request, new HealthProtocol("FastCGI", answer.ReadStatusAsync, answer.TakeRestAsync), time, cancellation)
            : Task.FromResult(new HealthAnswer(false, 0, $"no script answers {question.Path}", TimeSpan.Zero));
    }

    private static ReadOnlyMemory<byte>? Request(HealthQuestion question, GatewayScripts scripts)
    {
        var text = Encoding.ASCII.GetBytes($"GET {question.Path} HTTP/1.1\r\nHost: {question.Host}\r\nUser-Agent: Ashlar-Health/1\r\nAccept: */*\r\n\r\n");
        var head = new RequestHead();
        if (head.Parse(text, HttpLimits.Default) != ParseStatus.Done)
        {
            return null;
        }

        var path = head.PathRange.Of(text);
        var room = new byte[4 * path.Length + Room];
        if (!ScriptFolder.Open(scripts.Folder, scripts.Root, scripts.TryFiles, scripts.IsCgi).Find(path, room, out var script))
        {
            return null;
        }

        var request = new byte[Room];
        FastCgi.BeginRequest.CopyTo(request);

        // The server closes the connection behind its answer.
        request[FlagsOfBegin] = 0;
        var at = FastCgi.BeginRequest.Length;
        var variables = new ParamsWriter(request.AsSpan(at + FastCgi.HeaderLength, request.Length - at - 3 * FastCgi.HeaderLength));
        var context = new CgiContext
        {
            Script = script,
            Client = "127.0.0.1"u8,
            Secure = false,
            Port = 80,
            DefaultHost = "localhost"u8,
            RequestId = "health"u8,
            UnixMilliseconds = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            BodyLength = -1,
            TrustsFields = false,
        };
        if (!CgiRequest.Write(ref variables, text, head, context))
        {
            return null;
        }

        FastCgi.WriteHeader(request.AsSpan(at), RecordType.Params, variables.Written);
        at += FastCgi.HeaderLength + variables.Written;
        FastCgi.EndOfParams.CopyTo(request.AsSpan(at));
        at += FastCgi.EndOfParams.Length;
        FastCgi.EndOfStdin.CopyTo(request.AsSpan(at));
        return request.AsMemory(0, at + FastCgi.EndOfStdin.Length);
    }

    private sealed class Answer
    {
        private const int MostReads = 64;
        private readonly byte[] _head = new byte[HttpLimits.Default.MaxHeadBytes];
        private readonly ErrorLines _errors = new(_ => { });
        private RecordDecoder _records;

        public async Task<int> ReadStatusAsync(Socket socket, CancellationToken cancellation)
        {
            for (var length = 0; ;)
            {
                switch (CgiHead.Find(_head.AsSpan(0, length), HttpLimits.Default, out var end))
                {
                    case ParseStatus.Done:
                        return CgiHead.StatusOf(_head.AsSpan(0, end));
                    case ParseStatus.Bad:
                        return 0;
                }

                if (_records.Status != RecordStatus.More)
                {
                    return 0;
                }

                var count = await socket.ReceiveAsync(_head.AsMemory(length), cancellation);
                if (count == 0)
                {
                    return length == 0 ? throw new SocketException((int)SocketError.ConnectionReset) : 0;
                }

                length += _records.Decode(_head.AsSpan(length, count), _errors);
            }
        }

        public async Task TakeRestAsync(Socket socket, CancellationToken cancellation)
        {
            for (var reads = 0; _records.Status == RecordStatus.More && reads < MostReads; reads++)
            {
                var count = await socket.ReceiveAsync(_head, cancellation);
                if (count == 0)
                {
                    return;
                }

                _records.Decode(_head.AsSpan(0, count), _errors);
            }
        }
    }
}
