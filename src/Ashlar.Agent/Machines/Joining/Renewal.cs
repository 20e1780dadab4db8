using System.Security.Cryptography;
using Ashlar.Agent.Hosting;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>
/// Has this machine's certificates signed anew before they run out, by the leader, and puts them where they are used: agents and etcd take them at
/// the next handshake, edges look at their files. The key stays. What a person renews by a new token is taken up in the same way.
/// </summary>
internal sealed class Renewal : IAsyncDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private readonly MachineIdentity _identity;
    private readonly Func<RenewRequest, CancellationToken, Task<RenewAnswer>> _sign;
    private readonly StateFolder _state;
    private readonly AgentOptions _options;
    private readonly SystemUser? _user;
    private readonly AgentLog _log;
    private readonly CancellationTokenSource _ending = new();
    private Task _looking = Task.CompletedTask;
    private DateTimeOffset _notBefore;
    private TimeSpan _pause = FirstPause;

    /// <param name="identity">What is renewed.</param>
    /// <param name="sign">Has it signed.</param>
    /// <param name="options">The agent's.</param>
    /// <param name="user">User that the edge runs as; null: our own.</param>
    /// <param name="log">Told.</param>
    public Renewal(MachineIdentity identity, Func<RenewRequest, CancellationToken, Task<RenewAnswer>> sign, AgentOptions options, SystemUser? user, AgentLog log) =>
        (_identity, _sign, _options, _state, _user, _log) = (identity, sign, options, options.State, user, log);

    /// <summary>Has the leader sign: this machine, or another over the present certificate.</summary>
    /// <exception cref="AshlarException">ASH7512 and what the leader refuses.</exception>
    public static Task<RenewAnswer> SignAsync(FleetLink fleet, Admittance admittance, RenewRequest request, CancellationToken cancellation) =>
        fleet.Leads ? admittance.RenewAsync(fleet.Own.Name, request, cancellation)
        : fleet.OtherLeader is { } leader ? PeerClient.RenewAsync(fleet.Identity, leader, request, cancellation)
        : throw FleetErrors.NoLeader();

    /// <summary>Begins.</summary>
    public void Start() => _looking = LookForeverAsync();

    /// <summary>Looks once. True: this machine has another certificate now.</summary>
    /// <exception cref="AshlarException">It cannot be renewed now; ASH7517: it is too late.</exception>
    public async Task<bool> LookAsync(CancellationToken cancellation = default)
    {
        var changed = _identity.Reload();
        var now = _options.Time.GetUtcNow();
        if ((_identity.IsDue(now) || MachineIdentity.IsDue(_state.HopIdentity, now)) && now >= _notBefore)
        {
            _notBefore = now + _pause;
            _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
            await RenewAsync(cancellation);
            _pause = FirstPause;
            changed |= _identity.Reload();
        }

        if (!changed)
        {
            return false;
        }

        if (_user is not null)
        {
            Ownership.GiveAll(_state.HopIdentity, _user);
        }

        if (Directory.Exists($"{_state.Identity}-{EtcdTier.Service}"))
        {
            IdentityCopy.For(_state, EtcdTier.Service, ServiceUser.OfEngines(_options).TryGetValue(EtcdTier.Tier, out var name) ? SystemUsers.Find(name) : null);
        }

        _log.Info(LogEvent.Machine, $"the certificates of this machine are new, good until {_identity.ValidUntil:u}");
        return true;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _looking;
        _ending.Dispose();
    }

    private async Task RenewAsync(CancellationToken cancellation)
    {
        var name = _identity.Name;
        var request = new RenewRequest(MachineIdentity.Request(_state.Identity, name), MachineIdentity.Request(_state.HopIdentity, name));
        var answer = await _sign(request, cancellation);
        MachineIdentity.Renew(_state.HopIdentity, answer.HopCertificate);
        MachineIdentity.Renew(_state.Identity, answer.Certificate);
    }

    private async Task LookForeverAsync()
    {
        try
        {
            while (true)
            {
                try
                {
                    await LookAsync(_ending.Token);
                }
                catch (Exception e) when (e is AshlarException or IOException or UnauthorizedAccessException or CryptographicException)
                {
                    var why = e is AshlarException known ? known.Error.ToString() : e.Message;
                    _log.Warning(LogEvent.Machine, $"the certificates of this machine, good until {_identity.ValidUntil:u}, are not renewed: {why}");
                }

                await Task.Delay(BetweenLooks, _options.Time, _ending.Token);
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
        }
    }
}
