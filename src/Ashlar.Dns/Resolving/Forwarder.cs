using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Resolving;

/// <summary>
/// Asks the resolvers of the stack or the system for names that are not the stack's: one after the other until one answers, each question only once at
/// a time, and answers kept for as long as they say.
/// </summary>
/// <param name="resolvers">Who is asked, in order. Never ourselves.</param>
/// <param name="time">The clock.</param>
internal sealed class Forwarder(Func<ImmutableArray<IPEndPoint>> resolvers, TimeProvider time)
{
    private const int MostAtOnce = 2000;
    private const int Rounds = 2;
    private static readonly TimeSpan PatienceOfOne = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan PatienceOfAll = TimeSpan.FromSeconds(6);
    private readonly AnswerCache _cache = new(time);
    private readonly ConcurrentDictionary<AnswerKey, Lazy<Task<Response>>> _asking = new();
    private int _first;

    /// <summary>Told of a question that nobody answered: its name, and who was asked.</summary>
    public Action<DnsName, string> Unanswered { get; init; } = (_, _) => { };

    /// <summary>Answers kept.</summary>
    public int Kept => _cache.Count;

    /// <summary>The answer that is kept; null: it must be asked for.</summary>
    public Response? Find(AnswerKey key) => _cache.Find(key);

    /// <summary>Finds the answer; a failure where nobody gives one.</summary>
    public Task<Response> ResolveAsync(AnswerKey key)
    {
        if (_cache.Find(key) is { } kept)
        {
            return Task.FromResult(kept);
        }

        if (_asking.Count >= MostAtOnce)
        {
            return Task.FromResult(Failure);
        }

        return _asking.GetOrAdd(key, k => new Lazy<Task<Response>>(() => Task.Run(() => AskAsync(k)))).Value;
    }

    private static Response Failure { get; } = new() { Code = ResponseCode.ServerFailure, IsRecursive = true };

    private async Task<Response> AskAsync(AnswerKey key)
    {
        try
        {
            var answer = await AskAllAsync(key);
            _cache.Keep(key, answer);
            return answer;
        }
        finally
        {
            _asking.TryRemove(key, out _);
        }
    }

    private async Task<Response> AskAllAsync(AnswerKey key)
    {
        var servers = resolvers();
        var began = time.GetTimestamp();
        Response? refused = null;
        for (var i = 0; i < servers.Length * Rounds && time.GetElapsedTime(began) < PatienceOfAll; i++)
        {
            // Whoever answered last is asked first.
            var at = (_first + i) % servers.Length;
            using var patience = new CancellationTokenSource(PatienceOfOne, time);
            try
            {
                var answer = await Upstream.AskAsync(servers[at], UpstreamQuery.Of(key.Question, key.Signed, key.Unchecked, mixed: i < servers.Length), patience.Token);
                if (answer is { Code: ResponseCode.NoError or ResponseCode.NameError })
                {
                    _first = at;
                    return answer;
                }

                refused ??= answer;
            }
            catch (OperationCanceledException)
            {
            }
        }

        if (refused is not null)
        {
            return Failure;
        }

        Unanswered(key.Question.Name, servers.IsEmpty ? "there is no resolver to ask" : $"asked {string.Join(", ", servers)}");
        return Failure;
    }
}
