using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Store;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>Makes a stack that stands on one machine the first of several: its authority, this machine's identity, and a first member of etcd.</summary>
internal static class Founding
{
    /// <summary>Port for other agents, where nothing else is said.</summary>
    public const int PeerPort = 7400;

    /// <summary>Port for other edges.</summary>
    public const int HopPort = 7401;

    /// <summary>
    /// Prepares everything, up to the moment at which this agent starts anew in place: then the state is moved. Until then nothing has
    /// changed for the stack; it can be repeated.
    /// </summary>
    /// <exception cref="Errors.AshlarException">ASH7505, ASH7511.</exception>
    public static async Task<MachineFile> PrepareAsync(FoundArguments arguments, string stack, StateFolder state, IStore store, SystemUser? etcdUser, TimeProvider time)
    {
        var name = MachineName.Check(arguments.Name ?? Suggest(Environment.MachineName));
        var address = RequireOwn(arguments.Address);
        var authority = await store.GetAsync(Keys.Authority) is { } kept
            ? StackAuthority.Import(Encoding.ASCII.GetString(kept.Value.Span))
            : StackAuthority.Create(stack, time.GetUtcNow());
        using var hop = StackAuthority.Create($"{stack} edges", time.GetUtcNow());
        using (authority)
        {
            MachineIdentity.Keep(state.HopIdentity, hop.Sign(MachineIdentity.Request(state.HopIdentity, name), name, [address], time.GetUtcNow()), hop.CertificatePem);
            var request = MachineIdentity.Request(state.Identity, name);
            var certificate = authority.Sign(request, name, [address], time.GetUtcNow());
            MachineIdentity.Keep(state.Identity, certificate, authority.CertificatePem);
            var file = new MachineFile
            {
                Stack = stack,
                Name = name,
                Address = address.ToString(),
                PeerPort = PeerPort,
                HopPort = HopPort,
            };
            var member = StateHere.Member(file, 1, state, etcdUser, StateHere.NewToken());
            member = member with { Cluster = [member.AsPeer] };
            file = file with { Member = member, Endpoints = [member.ClientUri] };
            await store.CommitAsync(new StoreTransaction(
                [],
                [
                    new StoreWrite(Keys.Authority, Encoding.ASCII.GetBytes(authority.ExportPem())),
                    new StoreWrite(Keys.HopAuthority, Encoding.ASCII.GetBytes(hop.ExportPem())),
                    StoreExtensions.Put(Keys.Node(name), Record(file, [], time, StackAuthority.KeyOf(request)), MachineJson.Default.MachineRecord),
                    StoreExtensions.Put(Keys.State, StateHere.Alone(file), MachineJson.Default.StateRecord),
                ]));
            return file;
        }
    }

    /// <summary>This machine as the others are to know it.</summary>
    public static MachineRecord Record(MachineFile file, ImmutableSortedSet<string> labels, TimeProvider time, string key = "") => new()
    {
        Name = file.Name,
        Address = file.Address,
        PeerPort = file.PeerPort,
        HopPort = file.HopPort,
        Labels = labels,
        Memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        Cores = Environment.ProcessorCount,
        Joined = time.GetUtcNow(),
        Key = key,
    };

    /// <summary>What was started here is known to the machine's own store from now on. Called on the loop.</summary>
    public static async ValueTask KeepInstancesAsync(IStore from, StateFolder state, TimeProvider time)
    {
        await using var own = SqliteStore.Open(state.MachineStore, time);
        foreach (var prefix in InstanceTable.Prefixes)
        {
            foreach (var entry in (await from.ListAsync(prefix)).Entries)
            {
                await own.CommitAsync(new StoreTransaction([], [new StoreWrite(entry.Key, entry.Value)]));
            }
        }
    }

    /// <summary>An address of this machine.</summary>
    /// <exception cref="Errors.AshlarException">ASH7511.</exception>
    public static IPAddress RequireOwn(string? given)
    {
        var own = NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address).ToArray();
        return IPAddress.TryParse(given, out var address) && own.Contains(address)
            ? address
            : throw FleetErrors.AddressNotOwn(given ?? "", [.. own.Where(a => !IPAddress.IsLoopback(a) && !a.IsIPv6LinkLocal).Select(a => a.ToString())]);
    }

    /// <summary>A name for a machine, after its host.</summary>
    public static string Suggest(string host)
    {
        var label = new string([.. host.ToLowerInvariant().Split('.')[0].Where(c => char.IsAsciiLetterOrDigit(c) || c == '-').SkipWhile(c => !char.IsAsciiLetter(c)).Take(40)]).TrimEnd('-');
        return label.Length > 0 ? label : "first";
    }
}
