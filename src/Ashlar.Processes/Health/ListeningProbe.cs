using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Ashlar.Errors;

namespace Ashlar.Processes;

/// <summary>Says whether an instance listens where it was told to, and where it listens instead.</summary>
public static class ListeningProbe
{
    /// <summary>True: something accepts connections there.</summary>
    public static async Task<bool> IsListeningAsync(IPEndPoint endpoint, CancellationToken cancellationToken = default)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The TCP addresses that the processes listen on, by port.</summary>
    /// <param name="pids">The processes of the instance, e.g. <see cref="ProcessTree.Of"/>.</param>
    public static ImmutableArray<IPEndPoint> Endpoints(IEnumerable<int> pids)
    {
        var inodes = new HashSet<long>();
        foreach (var pid in pids)
            inodes.UnionWith(TcpTable.SocketsOf(pid));
        return [.. TcpTable.Listening().Where(socket => inodes.Contains(socket.Inode)).Select(socket => socket.Endpoint)
            .OrderBy(endpoint => endpoint.Port)];
    }

    /// <summary>Why an instance is not ready on its port.</summary>
    /// <param name="instance">Its name for people: <c>web.1</c>.</param>
    /// <param name="pids">Its processes.</param>
    /// <param name="port">The port it was given.</param>
    /// <param name="waited">How long it had.</param>
    /// <param name="reachedFromOutside">True: its balancer is on another machine, so loopback is not enough.</param>
    /// <returns>ASH2011, ASH2012 or ASH2013; null: it listens as it should.</returns>
    public static AshlarException? Diagnose(string instance, IEnumerable<int> pids, int port, TimeSpan waited, bool reachedFromOutside = false)
    {
        var found = Endpoints(pids);
        var right = found.Where(endpoint => endpoint.Port == port).ToList();
        if (right.Count > 0)
        {
            return reachedFromOutside && right.TrueForAll(endpoint => IPAddress.IsLoopback(endpoint.Address))
                ? ProcessErrors.ListensOnLoopbackOnly(instance, port)
                : null;
        }
        return found.IsEmpty
            ? ProcessErrors.NeverListened(instance, port, waited)
            : ProcessErrors.ListensElsewhere(instance, port, found);
    }
}
