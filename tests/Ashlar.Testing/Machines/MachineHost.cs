using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Ashlar.Testing.Machines;

/// <summary>A host: its own addresses, ports, host name and control groups; files and process ids it shares with all others.</summary>
public sealed class MachineHost
{
    private readonly NetSlot _slot;
    private readonly ControlGroupTree _groups;
    private readonly HostClock _clock;
    private int _runs;

    internal MachineHost(NetSlot slot, int index, string folder)
    {
        (_slot, Index) = (slot, index);
        _groups = new ControlGroupTree(slot.Name, Name);
        _groups.Make();
        Folder = Directory.CreateDirectory(Path.Combine(folder, Name)).FullName;
        _clock = new HostClock(Folder + ".clock");
    }

    /// <summary>Its place in the net, from 0.</summary>
    public int Index { get; }

    /// <summary>Its host name: <c>m1</c>, <c>m2</c> …</summary>
    public string Name => $"m{Index + 1}";

    /// <summary>Its address in the net.</summary>
    public IPAddress Address => _slot.Address(10 + Index);

    /// <summary>A folder for its files, gone with the net.</summary>
    public string Folder { get; }

    /// <summary>Whether it has power.</summary>
    public bool IsOn { get; internal set; } = true;

    internal string Namespace => _slot.Namespace(Index);

    internal string HardwareAddress => _slot.HardwareAddress(Index);

    /// <summary>The link's end at the bridge.</summary>
    internal string Port => Name;

    internal HostFaults Faults { get; set; } = new();

    internal SlowLink? SlowLink { get; set; }

    /// <summary>Starts a program on the host. It is of this process's user and environment, and a child of this process.</summary>
    /// <param name="command">A path, or a name to be found by PATH.</param>
    /// <param name="folder">Where it works; by default the host's folder.</param>
    /// <param name="environment">Variables besides; null takes one away.</param>
    public HostProcess Run(string command, IEnumerable<string> arguments, string? folder = null, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var outputPath = Path.Combine(Folder, $"{Path.GetFileName(command)}-{Interlocked.Increment(ref _runs)}.out");
        var start = new ProcessStartInfo("nsenter", Prefix(outputPath, command, arguments)) { WorkingDirectory = folder ?? Folder };
        foreach (var (name, value) in _clock.Environment(environment))
        {
            start.Environment[name] = value;
        }
        return new HostProcess(start, outputPath);
    }

    /// <summary>Runs a program on the host to its end.</summary>
    public Task<ProgramResult> ExecAsync(string command, IEnumerable<string> arguments, string? folder = null,
        IReadOnlyDictionary<string, string?>? environment = null, string? input = null, int timeoutSeconds = 120) =>
        ProgramRun.RunAsync("nsenter", Prefix("", command, arguments), folder ?? Folder, _clock.Environment(environment), input, timeoutSeconds);

    /// <summary>A socket on the host, for use by this process.</summary>
    public Socket OpenSocket(AddressFamily family = AddressFamily.InterNetwork, SocketType type = SocketType.Stream, ProtocolType protocol = ProtocolType.Tcp) =>
        NetworkNamespace.OpenSocket(IsOn ? Namespace : throw new InvalidOperationException($"{Name} is switched off."), family, type, protocol);

    /// <summary>A client in this process whose connections come from the host. Addresses only: it resolves no names.</summary>
    public HttpClient CreateHttpClient() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        ConnectCallback = async (context, cancel) =>
        {
            var socket = OpenSocket();
            try
            {
                socket.NoDelay = true;
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(context.DnsEndPoint.Host), context.DnsEndPoint.Port), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    });

    /// <summary>All processes on the host: in its namespace, or in its control groups.</summary>
    public IReadOnlyList<int> Processes() =>
        [.. (IsOn ? NetworkNamespace.Processes(Namespace) : []).Union(ControlGroupTree.Processes(_slot.Name, Name)).Where(pid => pid != Environment.ProcessId)];

    /// <summary>So many cores together for all its processes, from now on.</summary>
    /// <param name="cores">Cores.</param>
    /// <param name="period">Time in which that much may be used, and then no more until its end: 1 ms to 1 s.</param>
    /// <exception cref="PlatformNotSupportedException">There is no control group for CPU that this user may change.</exception>
    public void CpuShare(double cores, TimeSpan? period = null) => _groups.LimitCpu(cores, period ?? TimeSpan.FromMilliseconds(100));

    /// <summary>
    /// Its wall clock goes wrong by this, for programs started from now on; a later change reaches them within a second.
    /// Monotonic clocks stay right, and so does all time of programs that do not ask libc (those in Go, so etcd).
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">libfaketime is not installed.</exception>
    public void ClockOffset(TimeSpan offset) => _clock.Set(offset);

    /// <summary>Stops all its processes (SIGSTOP); its kernel goes on answering for them.</summary>
    public void Freeze() => SignalAll(Signals.Stop);

    /// <summary>Lets them go on.</summary>
    public void Thaw() => SignalAll(Signals.Continue);

    /// <inheritdoc />
    public override string ToString() => $"{Name} ({Address})";

    // A process that was started while they were counted is caught by the next count.
    private void SignalAll(int signal)
    {
        var reached = new HashSet<int>();
        while (Processes().Where(reached.Add).ToList() is { Count: > 0 } processes)
        {
            processes.ForEach(pid => Signals.Send(pid, signal));
        }
    }

    // nsenter and unshare become what they start, and so does the shell: the pid is the command's. `ip netns exec` would hide /sys/fs/cgroup.
    // What an ordinary user may do to networks is the harness's alone: programs on hosts are an ordinary user's.
    private IEnumerable<string> Prefix(string outputPath, string command, IEnumerable<string> arguments)
    {
        var join = string.Concat(_groups.Folders.Select(folder => $"echo $$ >'{folder}/cgroup.procs' && "));
        var become = Environment.IsPrivilegedProcess ? "exec" : "exec setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all";
        var script = $$"""
            {{join}}hostname {{Name}} || exit 125
            [ -z "$1" ] || exec >"$1" 2>&1 </dev/null
            shift
            {{become}} "$@"
            """;
        return [$"--net={NetworkNamespace.PathOf(Namespace)}", "unshare", "--uts", "sh", "-c", script, "sh", outputPath, command, .. arguments];
    }
}
