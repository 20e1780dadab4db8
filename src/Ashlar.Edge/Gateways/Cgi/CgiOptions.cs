using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>What a host of scripts is told on its command line and in its environment; written by the plan of the services, not by people.</summary>
/// <param name="Instance">Its name: <c>web.1</c>.</param>
/// <param name="EndPoint">Where it listens: PORT on loopback, or SOCKET.</param>
/// <param name="Processes">Most scripts at once.</param>
/// <param name="Time">Longest that one may run.</param>
internal sealed record CgiOptions(string Instance, EndPoint EndPoint, int Processes, TimeSpan Time)
{
    /// <summary>Folder with the scripts; null: there is one program, <see cref="Run"/>.</summary>
    public string? Root { get; init; }

    /// <summary>Command that is run for each request; null: the script itself is.</summary>
    public string? Run { get; init; }

    /// <exception cref="AshlarException">ASH3076: an argument is missing, unknown or malformed.</exception>
    public static CgiOptions Parse(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        var given = new TierArguments(arguments, ["--instance", "--root", "--run", "--processes", "--time"], EdgeErrors.CgiArguments);
        var root = given.Find("--root");
        var run = given.Find("--run");
        if (root is null && run is null)
        {
            throw EdgeErrors.CgiArguments("neither --root nor --run is given");
        }

        return new CgiOptions(
            given.Get("--instance"), EndPointOf(environment),
            int.TryParse(given.Get("--processes"), NumberStyles.None, CultureInfo.InvariantCulture, out var most) && most > 0 ? most : throw given.NotUnderstood("--processes"),
            given.Seconds("--time", TimeSpan.Zero) is { Ticks: > 0 } time ? time : throw given.NotUnderstood("--time"))
        {
            Root = root,
            Run = run,
        };
    }

    private static EndPoint EndPointOf(Func<string, string?> environment) =>
        environment("SOCKET") is { Length: > 0 } path ? new UnixDomainSocketEndPoint(path)
        : int.TryParse(environment("PORT"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= IPEndPoint.MaxPort
            ? new IPEndPoint(IPAddress.Loopback, port)
            : throw EdgeErrors.CgiArguments("neither PORT nor SOCKET is in its environment");
}
