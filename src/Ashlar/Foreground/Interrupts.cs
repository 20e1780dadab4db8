using System.Runtime.InteropServices;

namespace Ashlar.Foreground;

/// <summary>Ctrl-C and SIGTERM of a verb that ends in order: the first asks to stop, the second to stop at once.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly TaskCompletionSource<int> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>Listens to the signals from now on.</summary>
    public Interrupts() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Take(context, ExitCodes.Interrupted)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Take(context, ExitCodes.Terminated)),
    ];

    /// <summary>The first signal; its result is the exit code that says which.</summary>
    public Task<int> First => _first.Task;

    /// <summary>The second signal.</summary>
    public Task Second => _second.Task;

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void Take(PosixSignalContext context, int exitCode)
    {
        context.Cancel = true;
        if (!_first.TrySetResult(exitCode)) _second.TrySetResult();
    }
}
