using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Machines.Sessions;

/// <summary>A verb of this program that runs on another machine of the stack, with its input, output and exit code here.</summary>
public static class RemoteProgram
{
    /// <summary>Name of this machine in its stack; null: the stack stands on one machine.</summary>
    /// <param name="stackFolder">Folder of the stack here.</param>
    /// <exception cref="Errors.AshlarException">ASH7507.</exception>
    public static string? MachineOf(string stackFolder) => MachineFile.Load(StateFolder.Of(stackFolder).MachineFile)?.Name;

    /// <summary>Runs it and gives its exit code.</summary>
    /// <param name="stackFolder">Folder of the stack here, whose identity is shown.</param>
    /// <param name="machine">The other machine.</param>
    /// <param name="arguments">The verb (<c>exec</c> or <c>logs</c>) with its arguments.</param>
    /// <param name="terminal">The terminal that it is to have; null: none.</param>
    /// <param name="input">What it reads; null: nothing.</param>
    /// <param name="output">Takes its standard output.</param>
    /// <param name="error">Takes its standard error.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Errors.AshlarException">ASH7503, ASH7507, ASH7508: the machine cannot be reached, or was lost meanwhile.</exception>
    public static async Task<int> RunAsync(
        string stackFolder, MachineLine machine, ImmutableArray<string> arguments, SessionTerminal? terminal,
        Stream? input, Stream output, Stream error, CancellationToken cancellation)
    {
        var folder = StateFolder.Of(stackFolder).Identity;
        using var identity = MachineIdentity.Load(folder) ?? throw FleetErrors.IdentityUnusable(folder, "it is not there");
        var record = new MachineRecord { Name = machine.Name, Address = machine.Address, PeerPort = machine.PeerPort, HopPort = 0 };
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using var stream = await FromThereAsync(BeginAsync());
        var typing = TypeAsync(stream, input ?? Stream.Null, ended.Token);
        try
        {
            while (true)
            {
                var (kind, content) = await FromThereAsync(SessionFrames.ReadAsync(stream, cancellation).AsTask());
                switch (kind)
                {
                    case SessionFrame.Output:
                        await output.WriteAsync(content, cancellation);
                        await output.FlushAsync(cancellation);
                        break;
                    case SessionFrame.Error:
                        await error.WriteAsync(content, cancellation);
                        await error.FlushAsync(cancellation);
                        break;
                    case SessionFrame.Exit:
                        return SessionFrames.Number(content);
                    default:
                        throw Lost(new IOException("A frame of no known kind."));
                }
            }
        }
        finally
        {
            // Standard input that nobody types on cannot be taken back; what it brings later finds nobody.
            await ended.CancelAsync();
            await Task.WhenAny(typing, Task.CompletedTask);
        }

        async Task<Stream> BeginAsync()
        {
            var begun = await PeerClient.CallAsync(identity, record, PeerFrames.Session, cancellation);
            await PeerFrames.WriteAsync(begun, new SessionRequest(arguments, terminal), MachineJson.Default.SessionRequest, cancellation);
            return begun;
        }

        // What fails on this side, such as a reader of our output that has gone, is no fault of the other machine.
        async Task<T> FromThereAsync<T>(Task<T> task)
        {
            try
            {
                return await task;
            }
            catch (IOException e)
            {
                cancellation.ThrowIfCancellationRequested();
                throw Lost(e);
            }
        }

        Exception Lost(IOException e) => FleetErrors.Unreachable(machine.Name, machine.Address, e.Message.TrimEnd('.'), e);
    }

    private static async Task TypeAsync(Stream stream, Stream input, CancellationToken ended)
    {
        try
        {
            var buffer = new byte[SessionFrames.Longest];
            int count;
            do
            {
                count = await input.ReadAsync(buffer, ended);
                await SessionFrames.WriteAsync(stream, SessionFrame.Input, buffer.AsMemory(0, count), ended);
            }
            while (count > 0);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // It has ended, and its end is told to the other loop.
        }
    }
}
