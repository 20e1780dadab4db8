using System.Runtime.InteropServices;
using Ashlar.Agent.Reconciling;

namespace Ashlar.Agent.Hosting;

/// <summary>SIGTERM and SIGINT take the stack down: the first in order, the second at once.</summary>
internal sealed class AgentSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private int _count;

    public AgentSignals(Action<Shutdown> takeDown)
    {
        void Handle(PosixSignalContext context)
        {
            context.Cancel = true;
            takeDown(Interlocked.Increment(ref _count) == 1 ? Shutdown.InOrder : Shutdown.Now);
        }

        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true),
        ];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }
}
