using System.Collections.Immutable;
using System.Net;

namespace Ashlar.Dns.Resolving;

/// <summary>The resolvers that other names are asked of: those that the stack names, else those of the system.</summary>
internal sealed class SystemResolvers(string path, TimeProvider time)
{
    /// <summary>Where the system names its resolvers.</summary>
    public const string SystemFile = "/etc/resolv.conf";

    private const int DnsPort = 53;
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private ImmutableArray<IPEndPoint> _known = [];
    private DateTime _written;
    private DateTimeOffset _looked = DateTimeOffset.MinValue;

    /// <summary>Those of the system, read again when its file has changed.</summary>
    public ImmutableArray<IPEndPoint> Known
    {
        get
        {
            lock (_gate)
            {
                if (time.GetUtcNow() - _looked >= Between)
                {
                    _looked = time.GetUtcNow();
                    if (File.GetLastWriteTimeUtc(path) is var written && written != _written)
                    {
                        (_written, _known) = (written, Read());
                    }
                }

                return _known;
            }
        }
    }

    /// <summary>Those that a stack names; what cannot be read is left out.</summary>
    public static ImmutableArray<IPEndPoint> Of(IEnumerable<string> texts) => [.. texts.Select(Parse).OfType<IPEndPoint>()];

    private static IPEndPoint? Parse(string text) => IPAddress.TryParse(text, out var address) ? new IPEndPoint(address, DnsPort)
        : IPEndPoint.TryParse(text, out var point) ? new IPEndPoint(point.Address, point.Port == 0 ? DnsPort : point.Port) : null;

    private ImmutableArray<IPEndPoint> Read()
    {
        try
        {
            return Of(File.ReadLines(path).Select(line => line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words is ["nameserver", _, ..]).Select(words => words[1]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
