namespace Ashlar.Http.Transport.Tls;

/// <summary>The last session with one peer, to be resumed by the next connection to it. For one loop.</summary>
public sealed class TlsResumption : IDisposable
{
    private nint _session;
    private int _generation;

    /// <summary>Offers the session on a new connection, unless the files have changed since.</summary>
    internal void Offer(nint ssl, int generation)
    {
        if (_session != 0 && _generation == generation)
        {
            _ = OpenSsl.SetSession(ssl, _session);
        }
    }

    /// <summary>Keeps the session of a connection in place of the one before.</summary>
    internal void Keep(nint ssl, int generation)
    {
        var session = OpenSsl.TakeSession(ssl);
        if (session == 0)
        {
            return;
        }

        if (OpenSsl.IsResumable(session) == 0)
        {
            OpenSsl.FreeSession(session);
            return;
        }

        Dispose();
        _session = session;
        _generation = generation;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_session != 0)
        {
            OpenSsl.FreeSession(_session);
            _session = 0;
        }
    }
}
