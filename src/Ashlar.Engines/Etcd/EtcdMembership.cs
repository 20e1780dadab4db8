using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Ashlar.Catalog.Etcd;
using Ashlar.Errors;

namespace Ashlar.Engines.Etcd;

/// <summary>
/// Who belongs to the stack's etcd. A new member begins without a vote, so that one that never comes up costs no majority, and gets its vote
/// when it has caught up. Each step can be repeated.
/// </summary>
public sealed class EtcdMembership(EtcdOptions options) : IDisposable
{
    private const string UnhealthyCluster = "etcdserver: unhealthy cluster";
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(200);
    private readonly EtcdGateway _gateway = new(options);

    /// <summary>Asks these members from now on, the first of them first.</summary>
    public void UseEndpoints(ImmutableArray<Uri> endpoints) => _gateway.UseEndpoints(endpoints);

    /// <summary>The members, as one of them knows.</summary>
    /// <exception cref="AshlarException">ASH4070 to ASH4075.</exception>
    public async Task<ImmutableArray<EtcdMemberInfo>> ListAsync(CancellationToken cancellation = default)
    {
        // A majority is asked first: the list itself is what the one member has.
        await _gateway.RevisionAsync(cancellation);
        return Read(await AskAsync("member/list", new MemberRequest(), "tell its members", repeatable: true, cancellation));
    }

    /// <summary>
    /// Tells the cluster of a member that will come: start it then with <see cref="EtcdMember.Joins"/> and these members as
    /// <see cref="EtcdMember.Cluster"/>, and give it its vote by <see cref="PromoteAsync"/>. One that is known already is not added twice.
    /// </summary>
    /// <returns>The members to start it with, itself among them.</returns>
    /// <exception cref="AshlarException">ASH4070 to ASH4075; ASH7135.</exception>
    public async Task<ImmutableArray<EtcdPeer>> AddAsync(EtcdPeer member, CancellationToken cancellation = default)
    {
        var members = await ListAsync(cancellation);
        if (!members.Any(known => known.Has(member.Address)))
        {
            var request = new MemberRequest { PeerUrls = [EtcdMember.Text(member.Address)], IsLearner = true };
            members = Read(await AskAsync("member/add", request, $"take in the member {member.Name}", repeatable: false, cancellation));
        }

        return [.. members.Select(known => new EtcdPeer(known.Has(member.Address) ? member.Name : known.Name, known.PeerAddresses[0]))];
    }

    /// <summary>Gives a member its vote once it has caught up. One that has it already is no error.</summary>
    /// <exception cref="AshlarException">ASH4070 to ASH4075; ASH7135; ASH7136 if it does not catch up within the time.</exception>
    public async Task PromoteAsync(EtcdPeer member, TimeSpan within, CancellationToken cancellation = default)
    {
        var began = options.Time.GetTimestamp();
        while (true)
        {
            var found = (await ListAsync(cancellation)).FirstOrDefault(known => known.Has(member.Address))
                ?? throw EtcdErrors.MembersRefused($"give the member {member.Name} a vote", "it is not a member");
            if (!found.IsLearner)
            {
                return;
            }

            try
            {
                await AskAsync("member/promote", new MemberRequest { Id = found.Id }, $"give the member {member.Name} a vote", repeatable: true, cancellation);
                return;
            }
            catch (AshlarException e) when (e.Error.Code is "ASH7135" or "ASH4071")
            {
                if (options.Time.GetElapsedTime(began) > within)
                {
                    throw EtcdErrors.NotCaughtUp(member.Name, within, e);
                }
            }

            await Task.Delay(_look, options.Time, cancellation);
        }
    }

    /// <summary>Forgets a member; what it has is of no use any more. One that is not there is no error.</summary>
    /// <exception cref="AshlarException">ASH4070 to ASH4075; ASH7135.</exception>
    public async Task RemoveAsync(string name, CancellationToken cancellation = default)
    {
        foreach (var member in (await ListAsync(cancellation)).Where(member => member.Name == name))
        {
            await RemoveAsync(member.Id, name, cancellation);
        }
    }

    /// <summary>Forgets the member of that number.</summary>
    /// <exception cref="AshlarException">ASH4070 to ASH4075; ASH7135.</exception>
    public async Task RemoveAsync(ulong id, string name, CancellationToken cancellation = default) =>
        await AskAsync("member/remove", new MemberRequest { Id = id }, $"let the member {name} go", repeatable: false, cancellation);

    /// <summary>Forgets a member that is lost and tells of another in its stead: the lost one first, so that a majority stays one.</summary>
    /// <returns>The members to start the new one with.</returns>
    /// <exception cref="AshlarException">ASH4070 to ASH4075; ASH7135.</exception>
    public async Task<ImmutableArray<EtcdPeer>> ReplaceAsync(string lost, EtcdPeer member, CancellationToken cancellation = default)
    {
        await RemoveAsync(lost, cancellation);
        return await AddAsync(member, cancellation);
    }

    /// <inheritdoc />
    public void Dispose() => _gateway.Dispose();

    private async Task<MembersAnswer> AskAsync(string what, MemberRequest request, string inWords, bool repeatable, CancellationToken cancellation)
    {
        try
        {
            return await _gateway.AskAsync(
                $"cluster/{what}", request, MemberMessages.Default.MemberRequest, MemberMessages.Default.MembersAnswer, repeatable, cancellation);
        }
        catch (EtcdRefusalException e)
        {
            throw EtcdErrors.MembersRefused(inWords, e.Message, e);
        }
        catch (AshlarException e) when (e.InnerException?.Message == UnhealthyCluster)
        {
            throw EtcdErrors.MembersRefused(inWords, "it has not reached all its members for 5 s", e);
        }
    }

    private static ImmutableArray<EtcdMemberInfo> Read(MembersAnswer answer) =>
    [
        .. (answer.Members ?? []).Select(member => new EtcdMemberInfo(
            member.Id, member.Name ?? "", Addresses(member.PeerUrls), Addresses(member.ClientUrls), member.IsLearner)).Where(member => member.PeerAddresses.Length > 0),
    ];

    private static ImmutableArray<Uri> Addresses(string[]? texts) =>
        [.. (texts ?? []).Select(text => Uri.TryCreate(text, UriKind.Absolute, out var address) ? address : null).OfType<Uri>()];
}

/// <summary>A member of the cluster.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Name">Its name; empty until its first start.</param>
/// <param name="PeerAddresses">Where members reach it.</param>
/// <param name="ClientAddresses">Where agents reach it; none until its first start.</param>
/// <param name="IsLearner">True: it has no vote yet.</param>
public sealed record EtcdMemberInfo(
    ulong Id, string Name, ImmutableArray<Uri> PeerAddresses, ImmutableArray<Uri> ClientAddresses, bool IsLearner)
{
    /// <summary>True: members reach it there.</summary>
    public bool Has(Uri peerAddress) => PeerAddresses.Contains(peerAddress);
}

internal sealed record MemberRequest
{
    [JsonPropertyName("ID")]
    public ulong Id { get; init; }

    [JsonPropertyName("peerURLs")]
    public string[]? PeerUrls { get; init; }

    [JsonPropertyName("isLearner")]
    public bool IsLearner { get; init; }
}

internal sealed record Member(
    [property: JsonPropertyName("ID")] ulong Id, string? Name, [property: JsonPropertyName("peerURLs")] string[]? PeerUrls,
    [property: JsonPropertyName("clientURLs")] string[]? ClientUrls, [property: JsonPropertyName("isLearner")] bool IsLearner);

internal sealed record MembersAnswer(EtcdHeader? Header, Member[]? Members) : IEtcdAnswer;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(MemberRequest))]
[JsonSerializable(typeof(MembersAnswer))]
internal sealed partial class MemberMessages : JsonSerializerContext;
