using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Errors;

namespace Ashlar.Catalog.Etcd;

/// <summary>
/// Asks an etcd cluster through its JSON gateway (API v3, HTTP/1.1). A member that does not answer in time, or says that it cannot now, is
/// passed over for the next one, and remembered as not the first to ask; every wait has a bound.
/// </summary>
public sealed class EtcdGateway : IDisposable
{
    private const int LongestError = 64 << 10;
    private const int LongestAnswer = 96 << 20;
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private readonly HttpClient _http;
    private readonly EtcdOptions _options;

    // In the order in which they are asked.
    private ImmutableArray<Uri> _endpoints;
    private CancellationTokenSource _moved = new();

    /// <summary>Nothing is asked yet.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public EtcdGateway(EtcdOptions options)
    {
        EtcdOptions.Check(options);
        _options = options;
        _endpoints = options.Endpoints;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = options.AttemptLimit,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            SslOptions = options.Tls?.ToOptions() ?? new(),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Asks one thing.</summary>
    /// <param name="path">Below <c>/v3/</c>.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="questionType">Its JSON.</param>
    /// <param name="answerType">The answer's JSON.</param>
    /// <param name="repeatable">
    /// True: asking twice means the same as asking once. False: when an attempt ends without an answer, nothing more is tried.
    /// </param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="AshlarException">ASH4070 to ASH4073, ASH4075.</exception>
    /// <exception cref="EtcdRefusalException">etcd answers that it will not, for a reason that another attempt does not change.</exception>
    public async ValueTask<TAnswer> AskAsync<TQuestion, TAnswer>(
        string path, TQuestion question, JsonTypeInfo<TQuestion> questionType, JsonTypeInfo<TAnswer> answerType, bool repeatable,
        CancellationToken cancellation = default)
        where TAnswer : class, IEtcdAnswer
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(question, questionType);
        return await TryAllAsync(
            async (endpoint, limit) =>
            {
                using var response = await SendAsync(endpoint, path, body, limit).ConfigureAwait(false);
                return await ReadAsync(endpoint, response, answerType, limit).ConfigureAwait(false);
            },
            repeatable, cancellation).ConfigureAwait(false);
    }

    /// <summary>Begins a stream: the answer's lines follow for as long as it is held. It is one connection of its own.</summary>
    /// <param name="path">Below <c>/v3/</c>.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="type">Its JSON.</param>
    /// <param name="cancellation">Gives up the beginning.</param>
    /// <exception cref="AshlarException">ASH4070, ASH4071, ASH4073, ASH4075.</exception>
    /// <exception cref="EtcdRefusalException">etcd answers that it will not.</exception>
    public async ValueTask<EtcdStream> OpenAsync<TQuestion>(
        string path, TQuestion question, JsonTypeInfo<TQuestion> type, CancellationToken cancellation = default)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(question, type);
        return await TryAllAsync(
            async (endpoint, limit) =>
            {
                var response = await SendAsync(endpoint, path, body, limit).ConfigureAwait(false);
                try
                {
                    if (!response.IsSuccessStatusCode)
                    {
                        throw await RefusalAsync(endpoint, response, limit).ConfigureAwait(false);
                    }

                    return new EtcdStream(endpoint, response, await response.Content.ReadAsStreamAsync(limit).ConfigureAwait(false));
                }
                catch
                {
                    response.Dispose();
                    throw;
                }
            },
            repeatable: true, cancellation).ConfigureAwait(false);
    }

    /// <summary>The store's revision, as a majority knows it.</summary>
    /// <exception cref="AshlarException">ASH4070, ASH4071, ASH4073, ASH4075.</exception>
    public ValueTask<long> RevisionAsync(CancellationToken cancellation = default) => EtcdKeys.RevisionAsync(this, "", cancellation);

    /// <summary>The members from now on, in the order in which they are to be asked; what is under way goes on with those it began with.</summary>
    /// <exception cref="ArgumentException">There is none, or one is no address of a member.</exception>
    public void UseEndpoints(ImmutableArray<Uri> endpoints)
    {
        EtcdOptions.Check(_options with { Endpoints = endpoints });
        ImmutableInterlocked.InterlockedExchange(ref _endpoints, endpoints);
        Interlocked.Exchange(ref _moved, new CancellationTokenSource()).Cancel();
    }

    /// <summary>Cancelled when other members are to be asked: a stream goes on better at the first of those.</summary>
    internal CancellationToken Moved => Volatile.Read(ref _moved).Token;

    /// <summary>Asks another member first from now on, if this one was the first.</summary>
    internal void Avoid(Uri endpoint) =>
        ImmutableInterlocked.Update(ref _endpoints, static (now, avoided) => now[0] == avoided ? now.RemoveAt(0).Add(avoided) : now, endpoint);

    /// <summary>Asks this member first from now on: it has answered.</summary>
    private void Prefer(Uri endpoint) =>
        ImmutableInterlocked.Update(ref _endpoints, static (now, good) => now[0] == good || !now.Contains(good) ? now : now.Remove(good).Insert(0, good), endpoint);

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private async ValueTask<T> TryAllAsync<T>(
        Func<Uri, CancellationToken, Task<T>> attempt, bool repeatable, CancellationToken cancellation)
    {
        using var total = new CancellationTokenSource(_options.TotalLimit, _options.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, total.Token);
        var endpoints = _endpoints;
        var failures = new EtcdFailure[endpoints.Length];
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            for (var i = 0; i < endpoints.Length; i++)
            {
                if (total.IsCancellationRequested)
                {
                    throw EtcdFailure.Explain([.. failures.OfType<EtcdFailure>()]);
                }

                try
                {
                    var answer = await AttemptAsync(endpoints[i], attempt, limit.Token, cancellation).ConfigureAwait(false);
                    Prefer(endpoints[i]);
                    return answer;
                }
                catch (EtcdFailure failure)
                {
                    failures[i] = failure;
                    Avoid(endpoints[i]);
                    if (!repeatable && failure.MayHaveHappened)
                    {
                        throw CatalogErrors.OutcomeUnknown($"{failure.Endpoint.Authority}: {failure.Message}", failure);
                    }
                }
            }

            if (failures.All(failure => failure.IsLasting))
            {
                throw EtcdFailure.Explain([.. failures]);
            }

            try
            {
                await Task.Delay(pause, _options.Time, limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw EtcdFailure.Explain([.. failures]);
            }
        }
    }

    private async Task<T> AttemptAsync<T>(
        Uri endpoint, Func<Uri, CancellationToken, Task<T>> attempt, CancellationToken outer, CancellationToken caller)
    {
        using var time = new CancellationTokenSource(_options.AttemptLimit, _options.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(outer, time.Token);
        try
        {
            return await attempt(endpoint, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!caller.IsCancellationRequested)
        {
            throw new EtcdFailure(endpoint, FailureKind.NoAnswer, $"no answer within {_options.AttemptLimit.TotalSeconds:0.###} s", e);
        }
        catch (HttpRequestException e)
        {
            throw EtcdFailure.Of(endpoint, e);
        }
        catch (IOException e)
        {
            throw EtcdFailure.Of(endpoint, e);
        }
    }

    private Task<HttpResponseMessage> SendAsync(Uri endpoint, string path, byte[] body, CancellationToken cancellation)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = Json;
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(endpoint, $"/v3/{path}"))
        {
            Content = content,
            Version = System.Net.HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        // gRPC metadata by the gateway's convention: a member without a leader refuses instead of being silent.
        request.Headers.Add("Grpc-Metadata-hasleader", "true");
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    private async Task<T> ReadAsync<T>(Uri endpoint, HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class, IEtcdAnswer
    {
        if (!response.IsSuccessStatusCode)
        {
            throw await RefusalAsync(endpoint, response, cancellation).ConfigureAwait(false);
        }

        T? answer = null;
        try
        {
            var body = await BodyAsync(response, LongestAnswer, cancellation).ConfigureAwait(false);
            answer = JsonSerializer.Deserialize(body.Span, type);
            if (answer?.Header is null && ErrorIn(endpoint, body.Span) is { } error)
            {
                throw error;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw new EtcdFailure(endpoint, FailureKind.Foreign, "its answer is not etcd's", e);
        }

        if (answer?.Header is not { ClusterId: not 0 } header)
        {
            throw new EtcdFailure(endpoint, FailureKind.Foreign, "its answer is not etcd's");
        }

        return _options.ClusterId is not { } cluster || cluster == header.ClusterId
            ? answer
            : throw new EtcdFailure(endpoint, FailureKind.Foreign, $"it belongs to another cluster, {header.ClusterId:x} and not {cluster:x}");
    }

    private static async Task<Exception> RefusalAsync(Uri endpoint, HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            var body = await BodyAsync(response, LongestError, cancellation).ConfigureAwait(false);
            if (ErrorIn(endpoint, body.Span) is { } error)
            {
                return error;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            // What it says is not etcd's, so its status is all there is to tell.
        }

        return new EtcdFailure(endpoint, FailureKind.Foreign, $"it answers with status {(int)response.StatusCode}, and not as etcd does");
    }

    private static Exception? ErrorIn(Uri endpoint, ReadOnlySpan<byte> body) =>
        JsonSerializer.Deserialize(body, EtcdMessages.Default.ErrorAnswer)?.Read() is { } error
            ? EtcdFailure.Of(endpoint, error.GrpcCode, error.Message ?? "")
            : null;

    private static async Task<ReadOnlyMemory<byte>> BodyAsync(HttpResponseMessage response, int longest, CancellationToken cancellation)
    {
        const int step = 81920;
        var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using var _ = stream.ConfigureAwait(false);
        using var body = new MemoryStream((int)Math.Clamp(response.Content.Headers.ContentLength ?? step, 0, longest));
        var buffer = new byte[step];
        while (await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false) is var count and > 0)
        {
            if (body.Length + count > longest)
            {
                throw new InvalidDataException($"An answer of more than {longest} bytes.");
            }

            body.Write(buffer, 0, count);
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }
}

/// <summary>etcd's answer that it will not.</summary>
/// <param name="code">gRPC's status code.</param>
/// <param name="message">etcd's sentence.</param>
public sealed class EtcdRefusalException(int code, string message) : Exception(message)
{
    /// <summary>gRPC's status code.</summary>
    public int Code { get; } = code;
}

/// <summary>An answer that goes on.</summary>
public sealed class EtcdStream : IDisposable
{
    // etcd splits what is longer than its largest request (1.5 MiB) where it can; one event is at most a value of that size in base64.
    private const int LongestLine = 8 << 20;
    private readonly HttpResponseMessage _response;
    private readonly JsonLines _lines;

    internal EtcdStream(Uri endpoint, HttpResponseMessage response, Stream stream)
    {
        Endpoint = endpoint;
        _response = response;
        _lines = new JsonLines(stream, LongestLine);
    }

    /// <summary>The member that answers.</summary>
    public Uri Endpoint { get; }

    /// <summary>The next line of JSON, valid until the next call; null: it has ended.</summary>
    /// <exception cref="InvalidDataException">A line longer than any of etcd's.</exception>
    /// <exception cref="IOException">The connection fails.</exception>
    public ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellation) => _lines.NextAsync(cancellation);

    /// <summary>Ends it; etcd notices by the closed connection.</summary>
    public void Dispose() => _response.Dispose();
}
