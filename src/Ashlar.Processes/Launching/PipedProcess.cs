using System.Runtime.InteropServices;

namespace Ashlar.Processes;

/// <summary>
/// A short-lived child that is spoken to through pipes: leader of a session and group of its own, with our standard error. Who uses it waits on
/// its descriptors by poll(2); nothing here blocks.
/// </summary>
public sealed class PipedProcess : IDisposable
{
    private const int BusyAttempts = 50;
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(10);

    private readonly int _pid;
    private readonly FileDescriptor _input;
    private readonly FileDescriptor _output;
    private readonly FileDescriptor _handle;
    private ExitReport? _exit;

    private PipedProcess(int pid, FileDescriptor input, FileDescriptor output, FileDescriptor handle)
    {
        _pid = pid;
        _input = input;
        _output = output;
        _handle = handle;
    }

    /// <summary>Our end of its standard input, non-blocking; -1 after <see cref="CloseInput"/>.</summary>
    public int Input => _input.IsClosed ? -1 : _input.Number;

    /// <summary>Our end of its standard output, non-blocking.</summary>
    public int Output => _output.Number;

    /// <summary>A descriptor that becomes readable when it has ended.</summary>
    public int Handle => _handle.Number;

    /// <summary>Starts it.</summary>
    /// <param name="arguments">The program, an absolute path, and its arguments.</param>
    /// <param name="environment">Its whole environment: NAME=value, as bytes, because not all text comes in UTF-8.</param>
    /// <param name="folder">Folder it starts in.</param>
    /// <exception cref="Errors.AshlarException">ASH2002: it may not be executed; ASH2008: the kernel refused.</exception>
    public static PipedProcess Start(IReadOnlyList<string> arguments, IReadOnlyCollection<byte[]> environment, string folder)
    {
        const int StandardError = 2;
        var (childInput, input) = Pipe(arguments[0]);
        using (childInput)
        {
            var (output, childOutput) = Pipe(arguments[0], input);
            using (childOutput)
            {
                using var argv = new CStrings(arguments);
                using var envp = new CStrings(environment);
                var pid = Spawn.Start(arguments[0], argv, envp, folder, childInput.Number, childOutput.Number, StandardError, []);
                for (var attempt = 0; pid == -Libc.ETXTBSY && attempt < BusyAttempts; attempt++)
                {
                    // Written a moment ago: who writes it, or a process that is being started beside, has it open still.
                    Thread.Sleep(BusyPause);
                    pid = Spawn.Start(arguments[0], argv, envp, folder, childInput.Number, childOutput.Number, StandardError, []);
                }
                if (pid >= 0 && FileDescriptor.OfProcess(pid) is { } handle)
                {
                    _ = Libc.fcntl(input.Number, Libc.F_SETFL, Libc.O_WRONLY | Libc.O_NONBLOCK);
                    _ = Libc.fcntl(output.Number, Libc.F_SETFL, Libc.O_NONBLOCK);
                    return new PipedProcess(pid, input, output, handle);
                }

                if (pid >= 0)
                    ManagedProcess.Abandon(pid);
                input.Dispose();
                output.Dispose();
                throw pid == -Libc.EACCES
                    ? ProcessErrors.ProgramNotExecutable(arguments[0], SystemUsers.Current.Name)
                    : ProcessErrors.StartRefused(arguments[0], pid < 0 ? -pid : Libc.EMFILE);
            }
        }
    }

    /// <summary>It is told that its input is at the end.</summary>
    public void CloseInput() => _input.Dispose();

    /// <summary>Sends a signal to all processes of its group; none is left: nothing happens.</summary>
    public void Signal(int signal)
    {
        // Until it is reaped its number is nobody else's.
        if (_exit is null)
            _ = Libc.kill(-_pid, signal);
    }

    /// <summary>How it ended; null: it has not.</summary>
    public unsafe ExitReport? Exit()
    {
        if (_exit is not null)
            return _exit;
        Libc.SigInfo info = default;
        if (Libc.waitid(Libc.P_PIDFD, (uint)_handle.Number, &info, Libc.WEXITED | Libc.WNOHANG) != 0 || info.Pid == 0)
            return null;
        return _exit = info.Code == Libc.CLD_EXITED ? new ExitReport { Code = info.Status } : new ExitReport { Signal = info.Status };
    }

    /// <summary>Lets go of it; one that has not ended is killed with its group.</summary>
    public void Dispose()
    {
        if (Exit() is null)
            ManagedProcess.Abandon(_pid);
        _input.Dispose();
        _output.Dispose();
        _handle.Dispose();
    }

    private static unsafe (FileDescriptor Read, FileDescriptor Write) Pipe(string program, FileDescriptor? onFailure = null)
    {
        var ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_CLOEXEC) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            onFailure?.Dispose();
            throw ProcessErrors.StartRefused(program, errno);
        }
        return (new FileDescriptor(ends[0]), new FileDescriptor(ends[1]));
    }
}
