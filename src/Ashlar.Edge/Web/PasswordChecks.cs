using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Ashlar.Http.Transport;

namespace Ashlar.Edge.Web;

/// <summary>Whether a password is being checked.</summary>
internal enum CheckResult
{
    /// <summary>It is; the answer will come.</summary>
    Begun,

    /// <summary>The client has too many under way.</summary>
    TooManyOfClient,

    /// <summary>All clients together have.</summary>
    TooMany,
}

/// <summary>Who asks for a check.</summary>
/// <param name="Loop">Whose loop.</param>
/// <param name="IsWanted">False: the request has gone. Called on any thread.</param>
/// <param name="Done">Called on the loop with what came out.</param>
internal sealed record PasswordAsker(EventLoop Loop, Func<bool> IsWanted, Action<bool> Done);

/// <summary>
/// Checks passwords on threads of its own, never on all cores: a check is slow by design, and whoever likes may ask for one. The queue is
/// short, and a client has a small part of it; the same credentials are checked once for all that wait for them, and none for
/// who has left. Safe on every thread.
/// </summary>
internal sealed class PasswordChecks : IDisposable
{
    public const int MostUnderWay = 64;
    public const int MostOfClient = 8;

    private readonly Passwords _passwords;
    private readonly SlowWorkers _workers;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Check> _underWay = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, int> _ofClients = [];

    public PasswordChecks(Passwords passwords, Action<Exception> onFault)
    {
        _passwords = passwords;
        _workers = new SlowWorkers(onFault, "passwords", Math.Clamp(Environment.ProcessorCount / 2, 1, 2), MostUnderWay);
    }

    /// <summary>Checks that run or wait.</summary>
    public int UnderWay
    {
        get
        {
            lock (_gate)
            {
                return _underWay.Count;
            }
        }
    }

    /// <summary>Begins a check, or joins the same one.</summary>
    /// <param name="credentials">As the client sent them.</param>
    /// <param name="password">The password in them.</param>
    /// <param name="hash">What it is held to.</param>
    /// <param name="client">The client's address.</param>
    /// <param name="asker">Who is told.</param>
    public CheckResult TryCheck(byte[] credentials, byte[] password, string hash, IPAddress client, PasswordAsker asker)
    {
        var key = _passwords.KeyOf(credentials, hash);
        lock (_gate)
        {
            if (_underWay.TryGetValue(key, out var same))
            {
                same.Askers.Add(asker);
                return CheckResult.Begun;
            }

            var network = NetworkOf(client);
            if (_underWay.Count >= MostUnderWay || _ofClients.GetValueOrDefault(network) is var count && count >= MostOfClient)
            {
                return _underWay.Count >= MostUnderWay ? CheckResult.TooMany : CheckResult.TooManyOfClient;
            }

            var check = new Check(key, network, () => _passwords.Check(credentials, password, hash)) { Askers = { asker } };
            if (!_workers.TryRun(() => Run(check)))
            {
                return CheckResult.TooMany;
            }

            _underWay[key] = check;
            _ofClients[network] = count + 1;
            return CheckResult.Begun;
        }
    }

    public void Dispose() => _workers.Dispose();

    private void Run(Check check)
    {
        lock (_gate)
        {
            if (!check.Askers.Exists(static asker => asker.IsWanted()))
            {
                Forget(check);
                return;
            }
        }

        var isRight = false;
        try
        {
            isRight = check.IsRight();
        }
        finally
        {
            lock (_gate)
            {
                Forget(check);
            }

            foreach (var asker in check.Askers)
            {
                asker.Loop.Post(() => asker.Done(isRight));
            }
        }
    }

    private void Forget(Check check)
    {
        _underWay.Remove(check.Key);
        if (--CollectionsMarshal.GetValueRefOrNullRef(_ofClients, check.Network) == 0)
        {
            _ofClients.Remove(check.Network);
        }
    }

    // A household has a network of its own in IPv6, with as many addresses as it likes.
    private static ulong NetworkOf(IPAddress client)
    {
        Span<byte> bytes = stackalloc byte[16];
        (client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client).TryWriteBytes(bytes, out _);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    private sealed record Check(string Key, ulong Network, Func<bool> IsRight)
    {
        public List<PasswordAsker> Askers { get; } = [];
    }
}
