using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Ashlar.Testing.Machines;

/// <summary>
/// What no two living harnesses share: a number, from which the names of namespaces, link, control groups and folder and the /24 follow.
/// </summary>
/// <remarks>
/// Holding one is being bound to an abstract socket of its name: that needs no file, and ends with the process however it dies. So what
/// carries a number whose socket nobody holds was left by a run that crashed.
/// </remarks>
internal sealed partial class NetSlot : IDisposable
{
    private const int Count = 4096;
    private const int FirstSecondByte = 96; // 10.96.0.0 … 10.111.255.0
    private readonly Socket _hold;
    private readonly int _number;

    private NetSlot(int number, Socket hold) => (_number, _hold) = (number, hold);

    /// <summary>What all names begin with; of the length that a link may have.</summary>
    public string Name => NameOf(_number);

    /// <summary>The namespace that the bridge is in.</summary>
    public string Switch => $"{Name}-switch";

    /// <summary>The namespace of a host.</summary>
    public string Namespace(int host) => $"{Name}-m{host}";

    /// <summary>An address of the slot's /24.</summary>
    public IPAddress Address(int last) => new([10, (byte)(FirstSecondByte + _number / 256), (byte)(_number % 256), (byte)last]);

    /// <summary>The hardware address of a host: it keeps it when it is switched off and on.</summary>
    public string HardwareAddress(int host) => $"02:a5:{_number / 256:x2}:{_number % 256:x2}:00:{host:x2}";

    /// <summary>Takes a slot whose addresses lead nowhere yet.</summary>
    public static NetSlot Take()
    {
        var first = Random.Shared.Next(Count);
        for (var i = 0; i < Count; i++)
        {
            if (TryTake((first + i) % Count) is { } slot)
            {
                if (!Remains().Contains(slot._number) && !IsRouted(slot.Address(0)))
                {
                    return slot;
                }
                slot.Dispose();
            }
        }
        throw new InvalidOperationException("All networks of 10.96.0.0/12 are taken.");
    }

    /// <summary>The slots that something was left of and that nobody holds.</summary>
    public static IEnumerable<NetSlot> TakeStale() => Remains().Select(TryTake).OfType<NetSlot>();

    /// <summary>Whatever there is of a slot, living or not.</summary>
    public IEnumerable<string> Namespaces() => Entries(NetworkNamespace.Folder).Where(IsMine).Select(Path.GetFileName)!;

    /// <summary>Its folders in the temporary folder.</summary>
    public IEnumerable<string> TempFolders() => Entries(Path.GetTempPath()).Where(IsMine);

    /// <inheritdoc />
    public void Dispose() => _hold.Dispose();

    private static NetSlot? TryTake(int number)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint("\0" + NameOf(number)));
            return new NetSlot(number, socket);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private bool IsMine(string path) => NumberOf(path) == _number;

    private static HashSet<int> Remains() =>
        [.. ControlGroupTree.Roots().Concat([NetworkNamespace.Folder, Path.GetTempPath()])
            .SelectMany(Entries).Concat(Links()).Select(NumberOf).OfType<int>()];

    /// <summary>The links of this process's own network; /sys shows those of the network that it was mounted in.</summary>
    public static IEnumerable<string> Links() => File.ReadLines("/proc/net/dev").Skip(2).Select(line => line.Split(':')[0].Trim());

    private static IEnumerable<string> Entries(string path) => Directory.Exists(path) ? Directory.EnumerateFileSystemEntries(path, "ashnet*") : [];

    private static int? NumberOf(string path) =>
        NamePattern().Match(Path.GetFileName(path)) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    private static string NameOf(int number) => $"ashnet{number}";

    // Any route but the default one that overlaps the /24, and the addresses of links that are down.
    private static bool IsRouted(IPAddress network)
    {
        var wanted = BinaryPrimitives.ReadUInt32BigEndian(network.GetAddressBytes());
        foreach (var line in File.ReadLines("/proc/net/route").Skip(1))
        {
            var fields = line.Split('\t');
            var mask = Number(fields[7]) & 0xffffff00;
            if (mask != 0 && ((Number(fields[1]) ^ wanted) & mask) == 0)
            {
                return true;
            }
        }
        return NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Any(a => a.Address.AddressFamily == AddressFamily.InterNetwork
                && (BinaryPrimitives.ReadUInt32BigEndian(a.Address.GetAddressBytes()) & 0xffffff00) == wanted);

        static uint Number(string hex) => BinaryPrimitives.ReverseEndianness(uint.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^ashnet(\d{1,4})(?:$|-)")]
    private static partial Regex NamePattern();
}
