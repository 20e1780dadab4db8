using System.Collections.Immutable;
using System.Net;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Publishing;

/// <summary>
/// The listening sockets of the stack: the public one, and for each HTTP service a private door on loopback by which other
/// services reach it. The agent opens them once and hands them down, so that no replacement of anything closes them.
/// </summary>
internal sealed class Listeners(KeptNeeds kept, AgentLog log) : IDisposable
{
    private const string PublicName = "http";
    private const string SecureName = "https";
    private const string DoorPrefix = "service:";
    private const string PublicKey = "edge.listen.";
    private static readonly string[] StackFiles = ["ashlar.yaml", "ashlar.yml"];
    private static readonly string InUseCode = CatalogErrors.AddressInUse("", 0, "").Error.Code;
    private const string DashboardKey = "dashboard.listen";
    private const string DnsName = "dns";
    private const string DnsDatagramPrefix = "dns-udp:";
    private const string DnsKey = "dns.listen";
    private const int MostDatagramSockets = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly string Door = IPAddress.Loopback.ToString();
    private readonly SortedDictionary<string, (CatalogListener Listener, ListeningSocket Socket)> _open = new(StringComparer.Ordinal);
    private volatile ImmutableHashSet<string> _withheld = [];

    /// <summary>What this machine needs besides as one of several: the hop, and doors to engines elsewhere.</summary>
    public Func<ImmutableArray<CatalogListener>> OfMachine { get; set; } = () => [];

    /// <summary>True: one of <see cref="OfMachine"/> could not be had, and is worth another try. From any thread.</summary>
    public bool IsIncomplete => !_withheld.IsEmpty;

    /// <summary>All that are open.</summary>
    public ImmutableArray<CatalogListener> All => [.. _open.Values.Select(o => o.Listener)];

    /// <summary>
    /// Waits for the sockets that tiers of an earlier agent hold; they send them when they meet the new one. Called off the loop.
    /// </summary>
    /// <param name="loop">The agent's loop.</param>
    /// <param name="supervisor">Tells when they have come.</param>
    /// <param name="table">Who may hold them.</param>
    /// <param name="told">What the tiers were last told of their sockets: asked only where a tier does not answer.</param>
    public async Task BackAsync(AgentLoop loop, Supervisor supervisor, InstanceTable table, Func<ImmutableArray<CatalogListener>> told)
    {
        var holders = await loop.InvokeAsync(() => Missing(table).Select(o => o.Id).ToArray());
        if (holders.Length == 0)
        {
            return;
        }

        var back = await loop.InvokeAsync(() => supervisor.WaitAsync(_ => Missing(table).Any() ? null : this));
        try
        {
            await back.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            await loop.InvokeAsync(() => TakeFromHanging([.. Missing(table).Where(o => holders.Contains(o.Id) && o.Process is not null)], told()));
        }
    }

    // Those of a tier whose sockets are not here.
    private IEnumerable<ObservedInstance> Missing(InstanceTable table) =>
        table.All.Where(o => o is { Readiness: Readiness.Channel, Alive: true } && o.Tier is Tiers.Edge or Tiers.Dns && !_open.Values.Any(open => (open.Listener.Tier ?? Tiers.Edge) == o.Tier));

    /// <summary>Opens what the stack needs and is not open yet; what it needs no more stays until <see cref="Close"/>.</summary>
    /// <returns>The listeners that the stack needs.</returns>
    /// <exception cref="AshlarException">ASH4015 and others: an address cannot be had; nothing has changed.</exception>
    public async ValueTask<ImmutableArray<CatalogListener>> OpenAsync(StackDefinition stack)
    {
        var opened = new List<string>();
        try
        {
            foreach (var (name, listen) in Public(stack).Where(p => !IsOpen(p.Name, p.Listen)).ToArray())
            {
                // A new address is opened before the old one is let go: if it cannot be had, nothing is lost.
                var socket = OpenSocket(IPAddress.Parse(listen.Address), listen.Port, PublicKey + name, stack.Directory);
                opened.Add(name);
                Replace(new CatalogListener(name, listen.Address, listen.Port, null) { Tls = name == SecureName }, socket);
            }

            foreach (var service in Doors(stack))
            {
                var name = DoorPrefix + service;
                var listen = service == Tiers.Dashboard ? stack.Dashboard.Listen : null;
                if (listen is null ? !_open.ContainsKey(name) : !IsOpen(name, listen))
                {
                    var socket = listen is null ? OpenDoor(name) : OpenSocket(IPAddress.Parse(listen.Address), listen.Port, DashboardKey, stack.Directory);
                    Replace(new CatalogListener(name, listen?.Address ?? Door, 0, service), socket);
                    opened.Add(name);
                }
            }

            OpenDns(stack, opened);
            OpenOfMachine();
            await kept.SaveAsync();
            return [.. Needed(stack)];
        }
        catch
        {
            foreach (var name in opened.Where(n => n is not PublicName and not SecureName))
            {
                CloseOne(name);
            }

            throw;
        }
    }

    /// <summary>True: its kept port leads from here to another machine, so it is no port that anything else has taken.</summary>
    public bool Forwards(string instance) => _open.ContainsKey(MachineListeners.Forward + instance);

    /// <summary>Tries the addresses that the stack names and that are not open yet, so that nothing is built for a stack that cannot listen.</summary>
    /// <exception cref="AshlarException">ASH4015 and others: an address cannot be had.</exception>
    public void RequireFree(StackDefinition stack)
    {
        foreach (var (name, address) in Public(stack).Where(p => !IsOpen(p.Name, p.Listen)))
        {
            OpenSocket(IPAddress.Parse(address.Address), address.Port, PublicKey + name, stack.Directory).Dispose();
        }

        if (Doors(stack).Contains(Tiers.Dashboard) && stack.Dashboard.Listen is { } listen && !IsOpen(DoorPrefix + Tiers.Dashboard, listen))
        {
            OpenSocket(IPAddress.Parse(listen.Address), listen.Port, DashboardKey, stack.Directory).Dispose();
        }

        if (stack.Dns is { Listen: var dns } && !IsOpen(DnsName, dns))
        {
            OpenSocket(IPAddress.Parse(dns.Address), dns.Port, DnsKey, stack.Directory).Dispose();
            Array.ForEach(OpenDatagrams(dns, stack.Directory), socket => socket.Dispose());
        }
    }

    /// <summary>The listeners that a stack would have; those not open yet have the port they had before, or none.</summary>
    public ImmutableArray<CatalogListener> Preview(StackDefinition stack) =>
    [
        .. Public(stack).Select(p => new CatalogListener(p.Name, p.Listen.Address, p.Listen.Port, null) { Tls = p.Name == SecureName }),
        .. Doors(stack).Select(service =>
            new CatalogListener(DoorPrefix + service, Door, kept.Ports.GetValueOrDefault(DoorPrefix + service), service)),
        .. DnsListeners(stack),
    ];

    /// <summary>Closes our copies of what the stack does not need.</summary>
    public void Close(StackDefinition stack)
    {
        var needed = Needed(stack).Select(l => l.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in _open.Keys.Where(n => !needed.Contains(n)).ToArray())
        {
            CloseOne(name);
        }
    }

    /// <summary>Takes over sockets that a tier sent back, or that were kept across an execve. Ones that we have already are closed.</summary>
    public void TakeBack(IReadOnlyList<string> names, IReadOnlyList<Descriptor> descriptors)
    {
        for (var i = 0; i < names.Count; i++)
        {
            var name = names[i];
            if (_open.ContainsKey(name))
            {
                descriptors[i].Dispose();
                continue;
            }

            var socket = ListeningSocket.Describe(descriptors[i]);
            var service = name.StartsWith(DoorPrefix, StringComparison.Ordinal) ? name[DoorPrefix.Length..] : null;
            _open[name] = (new CatalogListener(name, socket.Address.ToString(), socket.Port, service)
            {
                Tls = name == SecureName,
                Hop = name == MachineListeners.Hop,
                Forward = name.StartsWith(MachineListeners.Forward, StringComparison.Ordinal) ? name[MachineListeners.Forward.Length..] : null,
                Tier = IsDns(name) ? Tiers.Dns : null,
                IsDatagram = name.StartsWith(DnsDatagramPrefix, StringComparison.Ordinal),
            }, socket);
            log.Info(LogEvent.Listener, $"took back {name} {socket.Address}:{socket.Port}");
        }
    }

    /// <summary>What holds the sockets does not answer: takes copies from outside. A copy tells where it listens, and that tells its name.</summary>
    private void TakeFromHanging(IReadOnlyCollection<ObservedInstance> holders, ImmutableArray<CatalogListener> told)
    {
        foreach (var holder in holders)
        {
            try
            {
                var taken = ListenersOfProcess.Take(holder.Process!.Pid);
                foreach (var socket in taken)
                {
                    if (told.FirstOrDefault(l => l.Port == socket.Port && IPAddress.Parse(l.Address).Equals(socket.Address)) is { } known)
                    {
                        TakeBack([known.Name], [socket.Descriptor]);
                    }
                    else
                    {
                        socket.Dispose();
                    }
                }

                log.Warning(LogEvent.Listener, $"{holder.Id} does not answer: {_open.Count} listening sockets were taken from it");
            }
            catch (IOException e)
            {
                log.Error(LogEvent.Listener, AgentErrors.ListenersWithheld(holder.Id, e.Message).Error);
            }
        }
    }

    /// <summary>Names and sockets: all, to leave to another program.</summary>
    public (ImmutableArray<string> Names, ImmutableArray<Descriptor> Descriptors) ToHandDown() =>
        ([.. _open.Keys], [.. _open.Values.Select(o => o.Socket.Descriptor)]);

    /// <summary>Names and sockets of a tier, to hand down.</summary>
    public (ImmutableArray<string> Names, ImmutableArray<Descriptor> Descriptors) ToHandDown(string tier)
    {
        var its = _open.Values.Where(open => (open.Listener.Tier ?? Tiers.Edge) == tier).ToArray();
        return ([.. its.Select(open => open.Listener.Name)], [.. its.Select(open => open.Socket.Descriptor)]);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _withheld = [];
        foreach (var name in _open.Keys.ToArray())
        {
            CloseOne(name);
        }
    }

    private bool IsOpen(string name, ListenAddress wanted) =>
        _open.TryGetValue(name, out var open) && open.Listener.Address == wanted.Address && open.Listener.Port == wanted.Port;

    private static IEnumerable<(string Name, ListenAddress Listen)> Public(StackDefinition stack)
    {
        yield return (PublicName, stack.Edge.Http);
        if (stack.Edge.Https is { } https)
        {
            yield return (SecureName, https);
        }
    }

    // What is reached through the edge by a listener of its own.
    private static IEnumerable<string> Doors(StackDefinition stack)
    {
        var services = stack.Services.Where(s => s.Interface != ServiceInterface.None).Select(s => s.Name);
        return stack.Dashboard.Enabled && !stack.Services.IsEmpty ? services.Append(Tiers.Dashboard) : services;
    }

    private IEnumerable<CatalogListener> Needed(StackDefinition stack)
    {
        var names = Public(stack).Select(p => p.Name).Concat(Doors(stack).Select(service => DoorPrefix + service)).Concat(DnsListeners(stack).Select(l => l.Name)).Concat(OfMachine().Select(l => l.Name));
        return names.Where(_open.ContainsKey).Select(n => _open[n].Listener);
    }

    private static bool IsDns(string name) => name == DnsName || name.StartsWith(DnsDatagramPrefix, StringComparison.Ordinal);

    // One for TCP, and one for each thread that answers UDP.
    private static IEnumerable<CatalogListener> DnsListeners(StackDefinition stack) => stack.Dns is not { Listen: var listen } ? [] :
    [
        new CatalogListener(DnsName, listen.Address, listen.Port, null) { Tier = Tiers.Dns },
        .. Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, MostDatagramSockets))
            .Select(i => new CatalogListener($"{DnsDatagramPrefix}{i}", listen.Address, listen.Port, null) { Tier = Tiers.Dns, IsDatagram = true }),
    ];

    private void OpenDns(StackDefinition stack, List<string> opened)
    {
        var wanted = DnsListeners(stack).ToArray();
        if (wanted.Length == 0 || wanted.All(listener => IsOpen(listener.Name, stack.Dns!.Listen)))
        {
            return;
        }

        // All of them or none: TCP first, whose port nobody shares.
        foreach (var gone in _open.Keys.Where(name => IsDns(name) && IsOpen(name, stack.Dns!.Listen)).ToArray())
        {
            CloseOne(gone);
        }

        var tcp = OpenSocket(IPAddress.Parse(stack.Dns!.Listen.Address), stack.Dns.Listen.Port, DnsKey, stack.Directory);
        ListeningSocket[] datagrams;
        try
        {
            datagrams = OpenDatagrams(stack.Dns.Listen, stack.Directory);
        }
        catch
        {
            tcp.Dispose();
            throw;
        }

        foreach (var (listener, socket) in wanted.Zip(datagrams.Prepend(tcp)))
        {
            Replace(listener, socket);
            opened.Add(listener.Name);
        }
    }

    private static ListeningSocket[] OpenDatagrams(ListenAddress listen, string folder) => Named(IPAddress.Parse(listen.Address), listen.Port, DnsKey, folder,
        () => ListeningSocket.OpenDatagrams(IPAddress.Parse(listen.Address), listen.Port, Math.Clamp(Environment.ProcessorCount, 1, MostDatagramSockets), DnsKey));

    // One that cannot be had now (an engine that moves has it still) is tried again; all else goes on without.
    private void OpenOfMachine()
    {
        var wanted = OfMachine();
        foreach (var gone in _open.Values.Select(open => open.Listener).Where(open => MachineListeners.IsOne(open.Name) && !wanted.Any(l => l.Name == open.Name && (l.Forward is null || l.Port == open.Port))).ToArray())
        {
            CloseOne(gone.Name);
        }

        var withheld = ImmutableHashSet.CreateBuilder<string>();
        foreach (var listener in wanted.Where(l => !_open.ContainsKey(l.Name)))
        {
            try
            {
                Replace(listener, OpenSocket(IPAddress.Parse(listener.Address), listener.Port, listener.Name));
            }
            catch (AshlarException) when (_withheld.Contains(listener.Name))
            {
                withheld.Add(listener.Name); // Said already.
            }
            catch (AshlarException e)
            {
                withheld.Add(listener.Name);
                log.Warning(LogEvent.Listener, e.Error.ToString());
            }
        }

        _withheld = withheld.ToImmutable();
    }

    private void Replace(CatalogListener listener, ListeningSocket socket)
    {
        CloseOne(listener.Name);
        listener = listener with { Port = socket.Port };
        _open[listener.Name] = (listener, socket);
        log.Info(LogEvent.Listener, $"listen {listener.Name} {listener.Address}:{listener.Port}");
    }

    private void CloseOne(string name)
    {
        if (_open.Remove(name, out var open))
        {
            open.Socket.Dispose();
            log.Info(LogEvent.Listener, $"closed {name}");
        }
    }

    private ListeningSocket OpenDoor(string name)
    {
        var port = kept.Ports.TryGetValue(name, out var before) && PortAllocator.CanBind(IPAddress.Loopback, before) ? before : kept.Renew(name);
        return OpenSocket(IPAddress.Loopback, port, name);
    }

    private static ListeningSocket OpenSocket(IPAddress address, int port, string key, string? folder = null) =>
        Named(address, port, key, folder, () => ListeningSocket.Open(address, port, key));

    private static T Named<T>(IPAddress address, int port, string key, string? folder, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (AshlarException e) when (e.Error.Code == InUseCode)
        {
            throw CatalogErrors.AddressInUse(address.ToString(), port, key, PortOwner.Find(address, port)?.ToString(), folder is null ? null : FileIn(folder));
        }
    }

    // A Heroku app may have none: then the key is the first line of a new one.
    private static string FileIn(string folder) =>
        StackFiles.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? Path.Combine(folder, StackFiles[0]) + " (a new file)";
}
