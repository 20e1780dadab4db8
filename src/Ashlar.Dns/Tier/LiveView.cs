using System.Collections.Immutable;
using System.Net;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Dns.Resolving;
using Ashlar.Dns.Serving;
using Ashlar.Dns.Stacks;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Tier;

/// <summary>
/// What is answered from, kept up to date: the zones of the last snapshot, of broken ones the last good, with the addresses of where aliases lead. It
/// changes with the snapshot, with those addresses, and with the machine's own.
/// </summary>
internal sealed class LiveView : IDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(15);
    private readonly Lock _gate = new();
    private readonly DnsOptions _options;
    private readonly TierLog _log;
    private readonly TimeProvider _time;
    private readonly SystemResolvers _system;
    private readonly Forwarder _forwarder;
    private readonly AliasBook _aliases;
    private readonly Dictionary<DnsName, StackZone> _good = [];
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _look = new(0);
    private ImmutableArray<IPEndPoint> _given = [];
    private ImmutableArray<IPEndPoint> _own = [];
    private ImmutableArray<IPAddress> _addresses = [];
    private ImmutableArray<(DnsName Alias, DnsName Target)> _outside = [];
    private CatalogSnapshot? _snapshot;
    private KeptForNext _kept;
    private DateTimeOffset _saidUnanswered;

    public LiveView(DnsOptions options, TierLog log, TimeProvider time)
    {
        (_options, _log, _time) = (options, log, time);
        _kept = KeptForNext.Load(options.KeptPath);
        _system = new SystemResolvers(options.ResolversPath, time);
        _forwarder = new Forwarder(Resolvers, time) { Unanswered = SayUnanswered };
        _aliases = new AliasBook(_forwarder, _kept.Aliases, time);
    }

    /// <summary>Told of each change.</summary>
    public Action<AnswerView> Changed { get; init; } = _ => { };

    /// <summary>What is answered from.</summary>
    public AnswerView View { get; private set; } = AnswerView.Empty;

    /// <summary>Goes by a snapshot from now on.</summary>
    public void Apply(CatalogSnapshot snapshot)
    {
        lock (_gate)
        {
            _snapshot = snapshot;
            _given = SystemResolvers.Of(snapshot.Dns?.Resolvers ?? []);
            _own = [.. snapshot.Listeners.Where(listener => listener.Tier == CatalogDns.Tier && IPAddress.TryParse(listener.Address, out _)).Select(listener => new IPEndPoint(IPAddress.Parse(listener.Address), listener.Port)).Distinct()];
            _addresses = snapshot.Dns is { } dns && Front.NeedOwn(dns.Fronts) ? Front.OfThisMachine() : [];
            Read(snapshot);
            Make();
        }
    }

    /// <summary>Follows what changes by itself, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                ImmutableArray<(DnsName Alias, DnsName Target)> outside;
                lock (_gate)
                {
                    outside = _outside;
                }

                var (changed, due, failed) = await _aliases.RefreshAsync([.. outside.Select(alias => alias.Target).Distinct()]);
                foreach (var (target, reason, keeps) in failed)
                {
                    Say(DnsErrors.AliasUnknown(string.Join(", ", outside.Where(alias => alias.Target.Equals(target)).Select(alias => alias.Alias)), target.ToString(), reason, keeps).ToString());
                }

                lock (_gate)
                {
                    var addresses = _snapshot?.Dns is { } dns && Front.NeedOwn(dns.Fronts) ? Front.OfThisMachine() : _addresses;
                    if (changed || !addresses.SequenceEqual(_addresses))
                    {
                        _addresses = addresses;
                        Make();
                    }
                }

                await _look.WaitAsync(due < BetweenLooks ? due : BetweenLooks, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    public void Dispose() => _look.Dispose();

    // What is broken stays as it was.
    private void Read(CatalogSnapshot snapshot)
    {
        var zones = StackZones.Of(snapshot, Front.Of(snapshot.Dns?.Fronts ?? [], _addresses), File.ReadAllText);
        foreach (var gone in _good.Keys.Except(zones.Select(zone => zone.Name)).ToArray())
        {
            _good.Remove(gone);
        }

        foreach (var zone in zones)
        {
            if (zone.Mistakes.IsEmpty)
            {
                _good[zone.Name] = zone;
                _told.RemoveWhere(text => text.Contains($"The zone {zone.Name} ", StringComparison.Ordinal));
                continue;
            }

            Say(DnsErrors.ZoneNotTaken(zone.Name.ToString(), [.. zone.Mistakes.Select(mistake => mistake.ToString())],
                _good.ContainsKey(zone.Name) ? "It is answered as it was before." : "It is not answered until then.").ToString());
        }
    }

    private void Make()
    {
        if (_snapshot is not { } snapshot)
        {
            return;
        }

        var serials = _kept.Serials.SetItems(_good.Values.Select(zone => KeyValuePair.Create(zone.Name.ToString(), Serials.Of(zone, _kept.Serials.GetValueOrDefault(zone.Name.ToString())))));
        var fronts = Front.Of(snapshot.Dns?.Fronts ?? [], _addresses);
        var live = LiveZones.Of(_good.Values, fronts, zone => serials[zone.Name.ToString()].Serial, _aliases.Find);
        _outside = LiveZones.Outside(_good.Values, live);
        View = new AnswerView(
            live, InsideZones.Of(snapshot), new TrustedClients(snapshot.Machines.Select(machine => IPAddress.TryParse(machine.Address, out var address) ? address : null).OfType<IPAddress>()),
            snapshot.Dns is { ResolvesNothing: false } ? _forwarder : null)
        {
            Rate = snapshot.Dns?.Rate ?? 0,
        };
        Keep(new KeptForNext { Serials = serials, Aliases = _aliases.Kept });
        Changed(View);
        _look.Release();
    }

    private void Keep(KeptForNext next)
    {
        if (next.Serials.SequenceEqual(_kept.Serials) && next.Aliases.Count == _kept.Aliases.Count
            && next.Aliases.All(alias => _kept.Aliases.TryGetValue(alias.Key, out var before) && before.SequenceEqual(alias.Value)))
        {
            return;
        }

        _kept = next;
        try
        {
            next.Save(_options.KeptPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Say(DnsErrors.NotWritable(_options.KeptPath, e.Message.TrimEnd('.')).ToString());
        }
    }

    // Never ourselves: a question would go round.
    private ImmutableArray<IPEndPoint> Resolvers()
    {
        var (given, own) = (_given, _own);
        return [.. (given.IsEmpty ? _system.Known : given).Where(server => !own.Any(socket => socket.Port == server.Port && IsHere(socket.Address, server.Address)))];
    }

    private bool IsHere(IPAddress listens, IPAddress asked) => listens.Equals(asked)
        || (listens.Equals(IPAddress.Any) || listens.Equals(IPAddress.IPv6Any)) && (IPAddress.IsLoopback(asked) || _addresses.Contains(asked));

    private void SayUnanswered(DnsName name, string asked)
    {
        // It may happen with every query.
        if (_time.GetUtcNow() - _saidUnanswered > TimeSpan.FromMinutes(1))
        {
            _saidUnanswered = _time.GetUtcNow();
            _log.Say(DnsErrors.NothingAnswers(name.ToString(), asked));
        }
    }

    // What is the same at every look is said once.
    private void Say(string text)
    {
        if (_told.Count < 1000 && _told.Add(text))
        {
            _log.Say(text);
        }
    }
}
