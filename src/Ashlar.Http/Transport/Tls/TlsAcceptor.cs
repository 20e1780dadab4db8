namespace Ashlar.Http.Transport.Tls;

/// <summary>What a connection is accepted with, and the rules that all TLS here follows.</summary>
public abstract unsafe class TlsAcceptor
{
    // Forward secrecy and authenticated encryption alone; TLS 1.3 has nothing else.
    private const string Ciphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

    private protected TlsAcceptor()
    {
    }

    /// <summary>A session for one connection; <paramref name="generation"/> is that of the files it uses.</summary>
    internal abstract nint NewSession(out int generation);

    private protected static void SetRules(nint context, bool isServer)
    {
        _ = OpenSsl.ControlContext(context, OpenSsl.ControlMinVersion, OpenSsl.Tls12, 0);
        _ = OpenSsl.SetOptions(
            context, OpenSsl.OptionNoRenegotiation | OpenSsl.OptionNoCompression | OpenSsl.OptionServerPreference | OpenSsl.OptionPrioritizeChaCha);
        _ = OpenSsl.SetCiphers(context, Ciphers12);

        // Curves alone: a client that asks for a finite field of 8192 bits makes us compute for milliseconds.
        fixed (byte* groups = "X25519:P-256:P-384\0"u8)
        {
            _ = OpenSsl.ControlContext(context, OpenSsl.ControlGroups, 0, (nint)groups);
        }

        _ = OpenSsl.ControlContext(
            context, OpenSsl.ControlMode, OpenSsl.ModePartialWrite | OpenSsl.ModeMovingBuffer | OpenSsl.ModeReleaseBuffers, 0);
        _ = OpenSsl.ControlContext(context, OpenSsl.ControlReadAhead, 1, 0);

        // Tickets carry the sessions: nothing is kept here for clients that may never come back.
        _ = OpenSsl.ControlContext(context, OpenSsl.ControlSessionCache, 0, 0);
        if (isServer)
        {
            _ = OpenSsl.SetTickets(context, 1);
            fixed (byte* id = "ashlar"u8)
            {
                _ = OpenSsl.SetSessionIdContext(context, id, 6);
            }
        }
    }
}
