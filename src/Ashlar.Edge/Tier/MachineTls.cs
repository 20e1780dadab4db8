using Ashlar.Catalog.Channel;
using Ashlar.Errors;
using Ashlar.Http.Transport.Tls;

namespace Ashlar.Edge.Tier;

/// <summary>The machine's identity as the edge uses it, to accept other machines and to call them. Follows its files when they are renewed.</summary>
internal sealed class MachineTls : IDisposable
{
    private static readonly TimeSpan _betweenLooks = TimeSpan.FromSeconds(10);

    private readonly TierLog _log;
    private readonly Timer _look;
    private bool _said;

    private MachineTls(TlsFiles files, TierLog log)
    {
        _log = log;
        Server = TlsContext.ForServer(files);
        Client = TlsContext.ForClient(files);
        _look = new Timer(_ => Look(), null, _betweenLooks, _betweenLooks);
    }

    public TlsContext Server { get; }

    public TlsContext Client { get; }

    /// <summary>Reads the identity; null, and a line in the log, if it is not usable: the edge serves what needs none.</summary>
    public static MachineTls? Load(string? folder, TierLog log)
    {
        try
        {
            return folder is null ? null : new MachineTls(TlsFiles.OfMachine(folder), log);
        }
        catch (AshlarException e)
        {
            log.Say(e.Error);
            return null;
        }
    }

    public void Dispose()
    {
        _look.Dispose();
        Server.Dispose();
        Client.Dispose();
    }

    private void Look()
    {
        try
        {
            if (Server.ReloadIfChanged() | Client.ReloadIfChanged())
            {
                _log.Say("uses the machine's renewed certificate");
            }

            _said = false;
        }
        catch (AshlarException e) when (!_said)
        {
            // Between the writing of two files they do not match; the next look finds them whole, or is told no more.
            _said = true;
            _log.Say(e.Error);
        }
        catch (Exception e) when (e is AshlarException or ObjectDisposedException)
        {
        }
    }
}
