namespace Ashlar.Http.Transport;

/// <summary>How long the kernel waits for a peer that has become silent.</summary>
public static unsafe class SocketPatience
{
    private const int Probes = 3;

    /// <summary>
    /// Has the kernel break a connection whose peer acknowledges nothing for <paramref name="silence"/> (at least 4 s), also while
    /// nothing is sent. On a listening socket: those it accepts.
    /// </summary>
    public static void Set(int fd, TimeSpan silence)
    {
        var seconds = Math.Max(4, (int)silence.TotalSeconds);
        Set(fd, LibC.LevelSocket, LibC.SocketKeepAlive, 1);
        Set(fd, LibC.LevelTcp, LibC.TcpKeepIdle, seconds / 2);
        Set(fd, LibC.LevelTcp, LibC.TcpKeepInterval, Math.Max(1, seconds / 2 / Probes));
        Set(fd, LibC.LevelTcp, LibC.TcpKeepCount, Probes);
        Set(fd, LibC.LevelTcp, LibC.TcpUserTimeout, seconds * 1000);
    }

    private static void Set(int fd, int level, int option, int value) =>
        _ = LibC.SetSocketOption(fd, level, option, &value, sizeof(int));
}
