using System.Net.Sockets;
using System.Text;

namespace Ashlar.Agent.Hosting;

/// <summary>
/// Tells systemd how we are, by the protocol of sd_notify(3): datagrams to the socket in NOTIFY_SOCKET. Silent where there is none.
/// </summary>
internal sealed class SystemdNotifier : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _address;
    private readonly ITimer? _watchdog;

    /// <summary>Reads the environment that systemd gives; the watchdog is fed at half its interval by <paramref name="alive"/>.</summary>
    /// <param name="environment">Value of a variable.</param>
    /// <param name="time">Clock of the watchdog.</param>
    /// <param name="alive">Asked each time; it calls back when the agent's loop still turns.</param>
    public SystemdNotifier(Func<string, string?> environment, TimeProvider time, Action<Action> alive)
    {
        if (environment("NOTIFY_SOCKET") is not { Length: > 1 } path)
        {
            return;
        }

        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        _address = new UnixDomainSocketEndPoint(path[0] == '@' ? $"\0{path[1..]}" : path);
        if (long.TryParse(environment("WATCHDOG_USEC"), out var microseconds) && microseconds > 0)
        {
            var interval = TimeSpan.FromMicroseconds(microseconds / 2);
            _watchdog = time.CreateTimer(_ => alive(() => Send("WATCHDOG=1")), null, interval, interval);
        }
    }

    /// <summary>We serve; <paramref name="pid"/> is ours, for a supervisor that did not start us itself.</summary>
    public void Ready(int pid) => Send($"READY=1\nMAINPID={pid}");

    /// <summary>We are about to become another program and will say READY again.</summary>
    public void Reloading() => Send($"RELOADING=1\nMONOTONIC_USEC={Environment.TickCount64 * 1000}");

    /// <summary>We end.</summary>
    public void Stopping() => Send("STOPPING=1");

    /// <inheritdoc />
    public void Dispose()
    {
        _watchdog?.Dispose();
        _socket?.Dispose();
    }

    private void Send(string message)
    {
        try
        {
            _socket?.SendTo(Encoding.ASCII.GetBytes(message), _address!);
        }
        catch (SocketException)
        {
            // Nobody listens any more: nothing of ours depends on it.
        }
    }
}
