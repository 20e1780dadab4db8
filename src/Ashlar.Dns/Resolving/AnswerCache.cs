using System.Collections.Concurrent;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Resolving;

/// <summary>What answers are kept by.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Signed">With the records of DNSSEC.</param>
/// <param name="Unchecked">Without a check.</param>
internal readonly record struct AnswerKey(Question Question, bool Signed, bool Unchecked);

/// <summary>Answers of others, for as long as they say and no longer than a day; of negative ones as long as their SOA says (RFC 2308, 5).</summary>
internal sealed class AnswerCache(TimeProvider time, int most = 10_000)
{
    private const uint LongestLife = 86_400;
    private const uint LongestNegative = 900;
    private const uint LifeOfFailure = 2;
    private readonly ConcurrentDictionary<AnswerKey, Kept> _kept = new();

    /// <summary>Answers kept.</summary>
    public int Count => _kept.Count;

    /// <summary>The answer, with what is left of its time; null: there is none.</summary>
    public Response? Find(AnswerKey key)
    {
        if (!_kept.TryGetValue(key, out var kept))
        {
            return null;
        }

        var age = (uint)(time.GetUtcNow() - kept.At).TotalSeconds;
        if (age >= kept.Life)
        {
            _kept.TryRemove(KeyValuePair.Create(key, kept));
            return null;
        }

        return age == 0 ? kept.Response : kept.Response with
        {
            Answers = [.. kept.Response.Answers.Select(record => record with { TimeToLive = record.TimeToLive > age ? record.TimeToLive - age : 0 })],
            Authorities = [.. kept.Response.Authorities.Select(record => record with { TimeToLive = record.TimeToLive > age ? record.TimeToLive - age : 0 })],
        };
    }

    /// <summary>Keeps an answer, if it may be kept.</summary>
    public void Keep(AnswerKey key, Response response)
    {
        var life = LifeOf(response);
        if (life == 0)
        {
            return;
        }

        if (_kept.Count >= most)
        {
            MakeRoom();
        }

        _kept[key] = new Kept(response, time.GetUtcNow(), life);
    }

    private static uint LifeOf(Response response)
    {
        if (response.Code is not (ResponseCode.NoError or ResponseCode.NameError))
        {
            return LifeOfFailure;
        }

        var soa = response.Authorities.FirstOrDefault(record => record.Type == RecordType.SOA);
        var isNegative = response.Code == ResponseCode.NameError || response.Answers.IsEmpty;
        var negative = soa is null ? 0 : Math.Min(LongestNegative, Math.Min(soa.TimeToLive, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(soa.Data.Octets[^4..])));
        var answers = response.Answers.IsEmpty ? LongestLife : response.Answers.Min(record => record.TimeToLive);
        return Math.Min(LongestLife, isNegative ? Math.Min(negative, answers) : answers);
    }

    // First what is over; then whatever half comes first.
    private void MakeRoom()
    {
        var now = time.GetUtcNow();
        foreach (var old in _kept.Where(kept => (now - kept.Value.At).TotalSeconds >= kept.Value.Life))
        {
            _kept.TryRemove(old);
        }

        if (_kept.Count >= most)
        {
            foreach (var old in _kept.Take(most / 2))
            {
                _kept.TryRemove(old);
            }
        }
    }

    private sealed record Kept(Response Response, DateTimeOffset At, uint Life);
}
