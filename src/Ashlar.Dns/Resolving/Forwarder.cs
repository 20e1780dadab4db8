using System.Collections.Immutable;
using System.Net;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Resolving;

/// <summary>
/// Asks the resolvers of the stack or the system for names that are not the stack's: one after the other until one answers, each question only once at
/// a time, and answers kept for as long as they say. Where as many are asked as may be, a new question takes the place of the oldest that is slow, so
/// that names nobody answers keep no others from being asked.
/// </summary>
/// <param name="resolvers">Who is asked, in order. Never ourselves.</param>
/// <param name="time">The clock.</param>
/// <param name="most">Questions asked at once.</param>
internal sealed class Forwarder(Func<ImmutableArray<IPEndPoint>> resolvers, TimeProvider time, int most = 2000)
{
    private const int Rounds = 2;

    /// <summary>Time after which a question may have to make room (the jostle timeout of Unbound).</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan PatienceOfOne = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan PatienceOfAll = TimeSpan.FromSeconds(6);
    private readonly AnswerCache _cache = new(time);
    private readonly Lock _gate = new();
    private readonly Dictionary<AnswerKey, Asking> _asking = [];
    private readonly LinkedList<Asking> _oldestFirst = [];
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

        lock (_gate)
        {
            if (_asking.TryGetValue(key, out var asked))
            {
                return asked.Answer;
            }

            if (_asking.Count >= most && !GiveUpOldest())
            {
                return Task.FromResult(Failure);
            }

            var asking = new Asking(key, time.GetTimestamp());
            _asking.Add(key, asking);
            _oldestFirst.AddLast(asking.Place);
            return asking.Answer = Task.Run(() => AskAsync(asking));
        }
    }

    private static Response Failure { get; } = new() { Code = ResponseCode.ServerFailure, IsRecursive = true };

    // Under the lock. False: all are young.
    private bool GiveUpOldest()
    {
        var oldest = _oldestFirst.First!.Value;
        if (time.GetElapsedTime(oldest.Began) < Slow)
        {
            return false;
        }

        Forget(oldest);
        _ = oldest.GivenUp.CancelAsync();
        return true;
    }

    private void Forget(Asking asking)
    {
        if (asking.Place.List is not null)
        {
            _oldestFirst.Remove(asking.Place);
            _asking.Remove(asking.Key);
        }
    }

    private async Task<Response> AskAsync(Asking asking)
    {
        try
        {
            var answer = await AskAllAsync(asking.Key, asking.GivenUp.Token);
            _cache.Keep(asking.Key, answer);
            return answer;
        }
        finally
        {
            lock (_gate)
            {
                Forget(asking);
            }
        }
    }

    private async Task<Response> AskAllAsync(AnswerKey key, CancellationToken givenUp)
    {
        var servers = resolvers();
        var began = time.GetTimestamp();
        Response? refused = null;
        for (var i = 0; i < servers.Length * Rounds && time.GetElapsedTime(began) < PatienceOfAll && !givenUp.IsCancellationRequested; i++)
        {
            // Whoever answered last is asked first.
            var at = (_first + i) % servers.Length;
            using var patience = new CancellationTokenSource(PatienceOfOne, time);
            await using var end = givenUp.UnsafeRegister(static patience => ((CancellationTokenSource)patience!).Cancel(), patience);
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

        if (refused is not null || givenUp.IsCancellationRequested)
        {
            return Failure;
        }

        Unanswered(key.Question.Name, servers.IsEmpty ? "there is no resolver to ask" : $"asked {string.Join(", ", servers)}");
        return Failure;
    }

    // A question that is being asked.
    private sealed class Asking
    {
        public Asking(AnswerKey key, long began) => (Key, Began, Place) = (key, began, new LinkedListNode<Asking>(this));

        public AnswerKey Key { get; }

        public long Began { get; }

        public LinkedListNode<Asking> Place { get; }

        public CancellationTokenSource GivenUp { get; } = new();

        public Task<Response> Answer { get; set; } = Task.FromResult(Failure);
    }
}
