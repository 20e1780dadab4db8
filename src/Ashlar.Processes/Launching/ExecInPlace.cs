using System.Runtime.InteropServices;

namespace Ashlar.Processes;

/// <summary>
/// Becomes another program, as <c>execve</c> does: same pid, children stay children, descriptors that are not close-on-exec stay.
/// </summary>
public static unsafe class ExecInPlace
{
    private const int SetMask = 2;
    private const int LastSignal = 64;

    /// <summary>Does it. Returns only by throwing, with everything as it was.</summary>
    /// <param name="path">Path of the program.</param>
    /// <param name="arguments">argv, the program's name first.</param>
    /// <param name="environment">Its whole environment.</param>
    /// <param name="workingDirectory">Folder to start in; null: the present one.</param>
    /// <exception cref="Errors.AshlarException">ASH2010: the kernel refused.</exception>
    public static void Run(string path, IReadOnlyCollection<string> arguments,
        IReadOnlyDictionary<string, string> environment, string? workingDirectory = null)
    {
        using var argv = new CStrings(arguments);
        using var envp = new CStrings([.. environment.Select(pair => $"{pair.Key}={pair.Value}")]);
        var before = Environment.CurrentDirectory;
        if (workingDirectory is not null && Libc.chdir(workingDirectory) != 0)
            throw ProcessErrors.ReplaceRefused(path, Marshal.GetLastPInvokeError());

        // Handlers fall to the default by themselves; what is ignored (.NET: SIGPIPE) or blocked would be inherited.
        var ignored = DefaultIgnoredSignals();
        var empty = stackalloc byte[128];
        var mask = stackalloc byte[128];
        _ = Libc.sigemptyset(empty);
        _ = Libc.pthread_sigmask(SetMask, empty, mask);

        Libc.execve(path, argv.Pointer, envp.Pointer);

        var errno = Marshal.GetLastPInvokeError();
        _ = Libc.pthread_sigmask(SetMask, mask, null);
        foreach (var (signal, old) in ignored)
        {
            var action = old;
            Libc.sigaction(signal, &action, null);
        }
        Libc.chdir(before);
        throw ProcessErrors.ReplaceRefused(path, errno);
    }

    private static List<(int Signal, Libc.SigAction Old)> DefaultIgnoredSignals()
    {
        var changed = new List<(int, Libc.SigAction)>();
        for (var signal = 1; signal <= LastSignal; signal++)
        {
            Libc.SigAction old;
            if (Libc.sigaction(signal, null, &old) != 0 || old.Handler != Libc.SigAction.Ignore)
                continue;
            var standard = default(Libc.SigAction);
            if (Libc.sigaction(signal, &standard, null) == 0)
                changed.Add((signal, old));
        }
        return changed;
    }
}
