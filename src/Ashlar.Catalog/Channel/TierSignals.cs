using System.Runtime.InteropServices;

namespace Ashlar.Catalog.Channel;

/// <summary>Has SIGTERM and SIGINT ask a process to end, for as long as it is not disposed of.</summary>
public sealed class TierSignals : IDisposable
{
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;

    /// <param name="stop">Called at each of them.</param>
    public TierSignals(Action stop)
    {
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            stop();
        }

        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
    }
}
