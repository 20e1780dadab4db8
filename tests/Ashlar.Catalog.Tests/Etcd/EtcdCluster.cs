using System.Collections.Immutable;
using System.Text;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Tests.Channel;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Etcd;

/// <summary>Real etcd members on loopback in a folder of their own.</summary>
internal sealed class EtcdCluster : IAsyncDisposable
{
    private readonly TempFolder _folder = new("ashlar-etcd-");
    private readonly string _initial;

    private EtcdCluster(int members, bool tls, string[] more)
    {
        Certificates = tls ? new TestCertificates(_folder.Path) : null;
        Members = [.. Enumerable.Range(1, members).Select(i => new EtcdMember($"m{i}", _folder.Path, Certificates, more))];
        _initial = string.Join(',', Members.Select(member => $"{member.Name}={member.Peer.Scheme}://{member.Peer.Authority}"));
    }

    public ImmutableArray<EtcdMember> Members { get; }

    public TestCertificates? Certificates { get; }

    public string Folder => _folder.Path;

    /// <summary>Options for all members.</summary>
    public EtcdOptions Options => new() { Endpoints = [.. Members.Select(member => member.Client)], Prefix = "shop/", Tls = Certificates is null ? null : EtcdTls.Load(Certificates.Authority, Certificates.Client, Certificates.ClientKey) };

    /// <summary>Starts them and waits until they have a leader.</summary>
    public static async Task<EtcdCluster> StartAsync(int members, bool tls = false, params string[] more)
    {
        var cluster = new EtcdCluster(members, tls, more);
        foreach (var member in cluster.Members)
        {
            cluster.Start(member);
        }

        await cluster.ReadyAsync();
        return cluster;
    }

    public void Start(EtcdMember member) => member.Start(_initial);

    /// <summary>Waits until the members have a leader and answer.</summary>
    public async Task ReadyAsync()
    {
        using var gateway = new EtcdGateway(Options with { TotalLimit = Wait.Long });
        try
        {
            await EtcdKeys.RevisionAsync(gateway, "", CancellationToken.None);
        }
        catch (Errors.AshlarException e)
        {
            throw new TimeoutException($"{e.Message}\n{string.Join('\n', Members.Select(member => member.LogEnd))}", e);
        }
    }

    /// <summary>The member that leads now.</summary>
    public async Task<EtcdMember> LeaderAsync()
    {
        for (var waited = TimeSpan.Zero; waited < Wait.Long; waited += TimeSpan.FromMilliseconds(50))
        {
            foreach (var member in Members)
            {
                try
                {
                    if (await StatusAsync(member) is { Leader: > 0 } status && status.Leader == status.Header!.MemberId)
                    {
                        return member;
                    }
                }
                catch (Errors.AshlarException)
                {
                    // This one is down.
                }
            }

            await Task.Delay(50);
        }

        throw new TimeoutException("No leader.");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in Members)
        {
            member.Dispose();
        }

        _folder.Dispose();
        await Task.CompletedTask;
    }

    private async Task<StatusAnswer> StatusAsync(EtcdMember member)
    {
        var limit = TimeSpan.FromMilliseconds(500);
        using var gateway = new EtcdGateway(Options with { Endpoints = [member.Client], AttemptLimit = limit, TotalLimit = limit });
        return await gateway.AskAsync(
            "maintenance/status", new StatusRequest(), EtcdMessages.Default.StatusRequest, EtcdMessages.Default.StatusAnswer, repeatable: true);
    }
}

internal static class TestText
{
    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
