using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Agent.Api;
using Ashlar.Agents;

namespace Ashlar.Adding;

/// <summary>What was asked for.</summary>
/// <param name="Name">Name of the machine; null: as the stack file names the address, else after the host.</param>
/// <param name="Address">Its address for the others; null: as the stack file says, else that of the host.</param>
/// <param name="Labels">Labels for placement.</param>
/// <param name="Folder">Folder of the stack there.</param>
internal sealed record AdditionRequest(string? Name, string? Address, ImmutableArray<string> Labels, string Folder);

/// <summary>Makes another host a machine of the stack, step by step. Repeated, it does what is not done yet.</summary>
internal sealed class MachineAddition(VerbCall call, Ssh ssh, ProgramParcel parcel, AdditionRequest request, Action<string> tell)
{
    private static readonly TimeSpan ComesAliveWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    /// <summary>Does it.</summary>
    /// <returns>The machine as it is then.</returns>
    /// <exception cref="Errors.AshlarException">ASH6032 and what the stack refuses.</exception>
    public async Task<MachineLine> RunAsync(CancellationToken cancellation)
    {
        var known = await ListAsync(cancellation);
        var address = await AddressAsync(known, cancellation);
        tell($"looking at {ssh.Destination}");
        var remote = await LookAsync(cancellation);
        var name = request.Name ?? known.FirstOrDefault(line => line.Address == address)?.Name;
        await CopyAsync(remote, cancellation);
        if (!remote.Joined || known.FirstOrDefault(line => line.Name == (name ?? remote.Name)) is not { } there || !IsAlive(there) || !remote.HasProgram)
        {
            await JoinAsync(remote, address, name, known, cancellation);
        }

        return await AliveAsync(address, cancellation);
    }

    private static bool IsAlive(MachineLine line) => line.State.StartsWith("alive", StringComparison.Ordinal);

    private async Task<Remote> LookAsync(CancellationToken cancellation)
    {
        var answer = await ssh.RunAsync(
            "looking at it",
            $$"""
            uname -sm
            id -u
            uname -n
            if [ "$(id -u)" = 0 ]; then base=/opt/ashlar; else base=$HOME/.local/share/ashlar; fi
            echo "$base"
            [ -f {{Ssh.Quote(Path.Combine(request.Folder, ".ashlar/machine.json"))}} ] && echo joined
            [ -x "$base/{{parcel.Name}}/ashlar" ] && echo program
            command -v tar >/dev/null || echo notar
            { command -v dotnet >/dev/null || [ -n "$DOTNET_ROOT" ] || [ -x /usr/share/dotnet/dotnet ] || [ -x /usr/lib/dotnet/dotnet ] || [ -s /etc/dotnet/install_location ]; } && echo dotnet
            true
            """,
            null, cancellation);
        var lines = answer.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length < 4 || lines[0] != "Linux x86_64")
        {
            throw CliErrors.AddFailed(ssh.Destination, "looking at it", $"it is no Linux on x86-64 but: {(lines.Length > 0 ? lines[0] : "silent")}", "Ashlar runs on Linux x86-64.");
        }

        var has = lines.Skip(4).ToHashSet(StringComparer.Ordinal);
        if (has.Contains("notar"))
        {
            throw CliErrors.AddFailed(ssh.Destination, "looking at it", "it has no tar", "Install tar there.");
        }

        if (!parcel.IsSelfContained && !has.Contains("dotnet"))
        {
            throw CliErrors.AddFailed(
                ssh.Destination, "looking at it", "the program that runs here is a build of a checkout and needs .NET, which is not there",
                "Make a packaged release, which needs none, and send that: ./ashlar package, then --package dist/ashlar-….tar.gz");
        }

        return new Remote(lines[2], $"{lines[3]}/{parcel.Name}", lines[1] == "0", has.Contains("joined"), has.Contains("program"));
    }

    private async Task CopyAsync(Remote remote, CancellationToken cancellation)
    {
        if (remote.HasProgram)
        {
            tell("it has this program already");
            return;
        }

        tell($"copying the program to {remote.Program}");
        var link = !remote.IsRoot ? "" : """
            if [ ! -e /usr/local/bin/ashlar ] || case "$(readlink /usr/local/bin/ashlar)" in /opt/ashlar/*) true ;; *) false ;; esac; then
              mkdir -p /usr/local/bin; ln -sfn "$folder/ashlar" /usr/local/bin/ashlar
            fi
            """;
        await ssh.RunAsync(
            "copying the program",
            $"""
            set -e; umask 022
            folder={Ssh.Quote(remote.Program)}; coming=$folder.coming-$$
            trap 'rm -rf "$coming"' EXIT
            mkdir -p "$coming"
            tar -xzf - --no-same-owner --strip-components={parcel.Strip} -C "$coming"
            [ -x "$coming/ashlar" ]
            chmod -R go+rX "$coming"
            rm -rf "$folder"; mv "$coming" "$folder"
            {link}
            """,
            parcel.WriteAsync, cancellation);
    }

    private async Task JoinAsync(Remote remote, string address, string? name, ImmutableArray<MachineLine> known, CancellationToken cancellation)
    {
        var token = await MachineToken.GetAsync(call, known.Any(line => line.State != "absent") ? new FoundArguments() : await OwnAsync(address, known, cancellation), cancellation);
        tell("joining");
        var arguments = new List<string> { "join", "--stack", request.Folder, "--address", address };
        arguments.AddRange(name is null ? [] : ["--name", name]);
        arguments.AddRange(request.Labels.SelectMany(label => new[] { "--label", label }));
        await ssh.RunAsync(
            "joining",
            $"set -e; mkdir -p {Ssh.Quote(request.Folder)}; cd {Ssh.Quote(request.Folder)}; exec {Ssh.Quote($"{remote.Program}/ashlar")} {string.Join(' ', arguments.Select(Ssh.Quote))}",
            async (stream, stop) => await stream.WriteAsync(Encoding.ASCII.GetBytes(token.Token + "\n"), stop),
            cancellation);
    }

    private async Task<MachineLine> AliveAsync(string address, CancellationToken cancellation)
    {
        tell("waiting until it tells what it runs");
        for (var began = call.Cli.Time.GetTimestamp(); ; await Task.Delay(BetweenLooks, call.Cli.Time, cancellation))
        {
            if ((await ListAsync(cancellation)).FirstOrDefault(line => line.Address == address && IsAlive(line)) is { } alive) return alive;
            if (call.Cli.Time.GetElapsedTime(began) > ComesAliveWithin)
            {
                throw CliErrors.AddFailed(
                    ssh.Destination, "waiting for it", "it has joined, but is not heard of",
                    $"Read {request.Folder}/.ashlar/logs/agent.log there. Ports 7400 to 7403 must be open between the machines.");
            }
        }
    }

    private async Task<string> AddressAsync(ImmutableArray<MachineLine> known, CancellationToken cancellation)
    {
        var host = ssh.Destination[(ssh.Destination.LastIndexOf('@') + 1)..].Trim('[', ']');
        var said = request.Address ?? known.FirstOrDefault(line => line.Name == request.Name && line.Address.Length > 0)?.Address;
        if (said is not null) return said;
        try
        {
            return (IPAddress.TryParse(host, out var literal) ? literal : (await System.Net.Dns.GetHostAddressesAsync(host, cancellation)).First(a => !IPAddress.IsLoopback(a))).ToString();
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            throw CliErrors.AddFailed(ssh.Destination, "finding its address", $"{host} has none that is known here", "Say at which address the others reach it: --address 10.0.0.12");
        }
    }

    // How the first machine is to be known: as the file says, else by the address from which the way leads to the new one.
    private static async Task<FoundArguments> OwnAsync(string remote, ImmutableArray<MachineLine> named, CancellationToken cancellation)
    {
        using var socket = new Socket(IPAddress.Parse(remote).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(remote), 9), cancellation);
        var own = ((IPEndPoint)socket.LocalEndPoint!).Address.ToString();
        return new FoundArguments(own, named.FirstOrDefault(line => line.Address == own)?.Name);
    }

    private async Task<ImmutableArray<MachineLine>> ListAsync(CancellationToken cancellation)
    {
        await using var agent = await call.AgentAsync(cancellation);
        return (await agent.AskAsync(AgentVerbs.Machines, AgentJson.Default.MachinesResult, null, cancellation))?.Machines ?? [];
    }

    private sealed record Remote(string Name, string Program, bool IsRoot, bool Joined, bool HasProgram);
}
