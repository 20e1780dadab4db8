using System.Text;
using Ashlar.Agent.Machines.Sessions;
using Ashlar.Errors;

namespace Ashlar.Agent.Tests.Machines;

public sealed class SessionTests
{
    [Fact]
    public async Task InputOutputAndExitCodeAreThoseOfTheOtherMachine()
    {
        await using var rig = new PeerRig("""echo "$1 $5 $6"; cat; echo worse >&2; exit 7""");
        var (exit, output, error) = await RunAsync(rig, ["exec", "web.3", "it's"], "typed\n");
        Assert.Equal((7, "exec web.3 it's\ntyped\n", "worse\n"), (exit, output, error));
    }

    [Fact]
    public async Task AProgramThatReadsNothingEndsAllTheSame()
    {
        await using var rig = new PeerRig("exit 0");
        Assert.Equal(0, (await RunAsync(rig, ["exec", "web.3"], new string('x', 1 << 20))).Exit);
    }

    [Fact]
    public async Task MuchOutputArrivesWhole()
    {
        await using var rig = new PeerRig("head -c 3000000 /dev/zero | tr '\\0' x");
        Assert.Equal(3_000_000, (await RunAsync(rig, ["logs"], "")).Output.Length);
    }

    [Fact]
    public async Task ATerminalIsGivenWhereThereIsOne()
    {
        await using var rig = new PeerRig("stty size; echo $TERM; printf %s \"$6\"; exit 3");
        using var output = new MemoryStream();
        var exit = await RemoteProgram.RunAsync(rig.StackFolder, rig.Line, ["exec", "web.3", "a 'b' $c"], new SessionTerminal("vt100", 77, 33), null, output, Stream.Null, CancellationToken.None);
        Assert.Equal((3, "33 77\r\nvt100\r\na 'b' $c"), (exit, Encoding.UTF8.GetString(output.ToArray())));
    }

    [Fact]
    public async Task OnlyWhatAMachineMustDoItselfIsDone()
    {
        await using var rig = new PeerRig("exit 0");
        Assert.Equal("ASH7508", (await Assert.ThrowsAsync<AshlarException>(() => RunAsync(rig, ["destroy", "--yes"], ""))).Error.Code);
    }

    [Fact]
    public async Task WhatRunsEndsWhenNobodyIsThereAnyMore()
    {
        await using var rig = new PeerRig("echo $$; exec sleep 1000");
        using var gone = new CancellationTokenSource();
        using var output = new FirstLine();
        var running = RemoteProgram.RunAsync(rig.StackFolder, rig.Line, ["exec", "web.3"], null, null, output, Stream.Null, gone.Token);
        var pid = int.Parse(await output.Line, System.Globalization.CultureInfo.InvariantCulture);
        using var process = System.Diagnostics.Process.GetProcessById(pid);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(PeerRig rig, string[] arguments, string input)
    {
        using var typed = new MemoryStream(Encoding.UTF8.GetBytes(input));
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var exit = await RemoteProgram.RunAsync(rig.StackFolder, rig.Line, [.. arguments], null, typed, output, error, CancellationToken.None);
        return (exit, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }

    private sealed class FirstLine : MemoryStream
    {
        private readonly TaskCompletionSource<string> _line = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Line => _line.Task.WaitAsync(TimeSpan.FromSeconds(30));

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            _line.TrySetResult(Encoding.ASCII.GetString(ToArray()).Trim());
        }
    }
}
