using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Ashlar.Dns.Stacks;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Resolving;

/// <summary>Addresses of the names of others that aliases lead to: asked for before they are needed, and the last good ones kept when nobody answers.</summary>
/// <param name="forwarder">Asks others.</param>
/// <param name="kept">Last good addresses of an earlier run.</param>
/// <param name="time">The clock.</param>
internal sealed class AliasBook(Forwarder forwarder, ImmutableSortedDictionary<string, ImmutableArray<string>> kept, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(10);
    private readonly Dictionary<DnsName, DateTimeOffset> _due = [];
    private ImmutableDictionary<DnsName, Addresses> _known = kept.ToImmutableDictionary(alias => DnsName.Parse(alias.Key), alias => Of(alias.Value));

    /// <summary>Last good addresses, for the next run.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Kept => _known.ToImmutableSortedDictionary(
        alias => alias.Key.ToString(), alias => alias.Value.Four.Concat(alias.Value.Six).Select(data => new IPAddress(data.Octets).ToString()).ToImmutableArray(), StringComparer.Ordinal);

    /// <summary>The addresses of a name; null: they are not known.</summary>
    public Addresses? Find(DnsName name) => _known.GetValueOrDefault(name);

    /// <summary>Asks for all whose time is over.</summary>
    /// <returns>Whether any has changed, when to ask again, and for which there was no answer.</returns>
    public async Task<(bool Changed, TimeSpan Due, ImmutableArray<(DnsName Target, string Reason, bool Keeps)> Failed)> RefreshAsync(ImmutableArray<DnsName> targets)
    {
        var failed = ImmutableArray.CreateBuilder<(DnsName, string, bool)>();
        var before = _known;
        _known = _known.RemoveRange(_known.Keys.Where(name => !targets.IsEmpty && !targets.Contains(name)));
        foreach (var target in targets.Where(target => _due.GetValueOrDefault(target) <= time.GetUtcNow()))
        {
            var four = await forwarder.ResolveAsync(new AnswerKey(new Question(target, RecordType.A), Signed: false, Unchecked: false));
            var six = await forwarder.ResolveAsync(new AnswerKey(new Question(target, RecordType.AAAA), Signed: false, Unchecked: false));
            var addresses = new Addresses(DataOf(four, RecordType.A), DataOf(six, RecordType.AAAA));
            var told = four.Code == ResponseCode.NoError && six.Code == ResponseCode.NoError;
            if (addresses.IsEmpty || !told)
            {
                failed.Add((target, told ? "there are none" : four.Code == ResponseCode.NameError ? "there is no such name" : "nobody answers", _known.ContainsKey(target)));
                _due[target] = time.GetUtcNow() + AfterFailure;
                continue;
            }

            if (!(_known.TryGetValue(target, out var known) && known.Four.SequenceEqual(addresses.Four) && known.Six.SequenceEqual(addresses.Six)))
            {
                _known = _known.SetItem(target, addresses);
            }

            var life = TimeSpan.FromSeconds(four.Answers.Concat(six.Answers).Min(record => record.TimeToLive));
            _due[target] = time.GetUtcNow() + (life < Shortest ? Shortest : life > Longest ? Longest : life);
        }

        var next = targets.Select(target => _due.GetValueOrDefault(target)).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
        return (!ReferenceEquals(before, _known), next == DateTimeOffset.MaxValue ? Longest : next - time.GetUtcNow() is var due && due > TimeSpan.Zero ? due : TimeSpan.Zero, failed.ToImmutable());
    }

    private static Addresses Of(ImmutableArray<string> texts)
    {
        var addresses = texts.Select(text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>().ToArray();
        return new Addresses(
            [.. addresses.Where(address => address.AddressFamily == AddressFamily.InterNetwork).Select(address => new RecordData(address.GetAddressBytes()))],
            [.. addresses.Where(address => address.AddressFamily == AddressFamily.InterNetworkV6).Select(address => new RecordData(address.GetAddressBytes()))]);
    }

    // In an order of their own: others turn theirs with every answer, and that is no change.
    private static ImmutableArray<RecordData> DataOf(Response response, RecordType type) =>
        [.. response.Answers.Where(record => record.Type == type).Select(record => record.Data).OrderBy(data => Convert.ToHexString(data.Octets), StringComparer.Ordinal)];
}
