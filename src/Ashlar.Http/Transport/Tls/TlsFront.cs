using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Ashlar.Errors;

namespace Ashlar.Http.Transport.Tls;

/// <summary>A certificate that is shown for some names.</summary>
/// <param name="Path">PEM file with the private key, the certificate and its chain. Another content has another path.</param>
/// <param name="Names">DNS names it is for, and addresses; <c>*.example.org</c> covers one label.</param>
public sealed record TlsCertificate(string Path, ImmutableArray<string> Names)
{
    private readonly ImmutableHashSet<string> _names = Names.ToImmutableHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>True if it is for this host.</summary>
    public bool Covers(string host) =>
        _names.Contains(host) || (host.IndexOf('.') is > 0 and var dot && _names.Contains(string.Concat("*", host.AsSpan(dot))));
}

/// <summary>
/// TLS for everybody: the certificate by the name the client asks for (RFC 6066 section 3), HTTP/2 or HTTP/1.1 by what it offers
/// (RFC 7301). Certificates are exchanged while it serves. Safe on every thread.
/// </summary>
public sealed unsafe class TlsFront : TlsAcceptor, IDisposable
{
    private const int LongestName = 255;

    private readonly bool _offersHttp2;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Loaded> _byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Loaded> _byPath = new(StringComparer.Ordinal);
    private GCHandle _self;
    private nint _context;
    private Loaded? _default;

    /// <summary>Makes it; it has no certificate yet.</summary>
    /// <exception cref="AshlarException">ASH3048: no OpenSSL.</exception>
    public TlsFront(bool offersHttp2)
    {
        OpenSsl.Load();
        _offersHttp2 = offersHttp2;
        _self = GCHandle.Alloc(this, GCHandleType.Weak);
        _context = Make();
    }

    /// <summary>False while there is nothing to show.</summary>
    public bool HasCertificate => _default is not null;

    /// <summary>Shows these certificates from now on; the first also where a client asks for no name or for one that none is for.</summary>
    /// <returns>Those that cannot be used (ASH3049): what served the same names before goes on, and without such a one they are left out.</returns>
    public ImmutableArray<AshlarError> Use(IEnumerable<TlsCertificate> certificates)
    {
        var errors = ImmutableArray.CreateBuilder<AshlarError>();
        var next = new List<Loaded>();
        foreach (var certificate in certificates)
        {
            try
            {
                next.Add(_byPath.TryGetValue(certificate.Path, out var known) && known.Certificate.Names.SequenceEqual(certificate.Names)
                    ? known
                    : new Loaded(certificate, Make(certificate.Path)));
            }
            catch (AshlarException e)
            {
                errors.Add(e.Error);
                if (_byPath.Values.FirstOrDefault(known => known.Certificate.Names.SequenceEqual(certificate.Names)) is { } before)
                {
                    next.Add(before);
                }
            }
        }

        lock (_gate)
        {
            foreach (var gone in _byPath.Values.Except(next))
            {
                // Connections that were made with it hold a reference of their own.
                OpenSsl.FreeContext(gone.Context);
            }

            _byPath.Clear();
            _byName.Clear();
            foreach (var loaded in next)
            {
                _byPath[loaded.Certificate.Path] = loaded;
                foreach (var name in loaded.Certificate.Names)
                {
                    _byName.TryAdd(name, loaded);
                }
            }

            _default = next.Count > 0 ? next[0] : null;
        }

        return errors.ToImmutable();
    }

    /// <summary>
    /// Makes new keys for tickets, so that one that is found out later opens little; sessions of before are not resumed. To be called
    /// some times a day.
    /// </summary>
    public void RenewTicketKeys()
    {
        var next = Make();
        lock (_gate)
        {
            OpenSsl.FreeContext(_context);
            _context = next;
        }
    }

    /// <summary>The certificate that a client gets who asks for this name.</summary>
    public TlsCertificate? Find(string? name)
    {
        lock (_gate)
        {
            return Look(name)?.Certificate;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _ = Use([]);
        lock (_gate)
        {
            OpenSsl.FreeContext(_context);
            _context = 0;
            _self.Free();
        }
    }

    internal override nint NewSession(out int generation)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_context == 0, this);
            generation = 0;
            return OpenSsl.New(_context);
        }
    }

    private nint Make(string? path = null)
    {
        OpenSsl.ClearErrors();
        var context = OpenSsl.NewContext(OpenSsl.ServerMethod());
        try
        {
            SetRules(context, isServer: true);
            OpenSsl.SetProtocolCallback(context, &OnProtocols, _offersHttp2 ? 1 : 0);
            _ = OpenSsl.ControlContext(context, OpenSsl.ControlServerNameArgument, 0, GCHandle.ToIntPtr(_self));
            _ = OpenSsl.SetServerNameCallback(context, OpenSsl.ControlServerNameCallback, &OnServerName);
            if (path is not null)
            {
                TlsContext.Check(OpenSsl.UseCertificate(context, path), path);
                TlsContext.Check(OpenSsl.UseKey(context, path, OpenSsl.FilePem), path);
                TlsContext.Check(OpenSsl.CheckKey(context), path);
            }

            return context;
        }
        catch
        {
            OpenSsl.FreeContext(context);
            throw;
        }
    }

    private Loaded? Look(string? name)
    {
        if (name is not null)
        {
            if (_byName.TryGetValue(name, out var exact))
            {
                return exact;
            }

            if (name.IndexOf('.') is > 0 and var dot && _byName.TryGetValue(string.Concat("*", name.AsSpan(dot)), out var wild))
            {
                return wild;
            }
        }

        return _default;
    }

    private bool Choose(nint ssl)
    {
        var name = NameOf(ssl);
        lock (_gate)
        {
            // Under the lock: it is freed under it too.
            return Look(name) is { } loaded && OpenSsl.UseContext(ssl, loaded.Context) != 0;
        }
    }

    /// <summary>The name that the client has asked for, without a trailing dot; null: none, or none that could be one.</summary>
    internal static string? NameOf(nint ssl)
    {
        var text = OpenSsl.ServerNameOf(ssl, 0);
        if (text is null)
        {
            return null;
        }

        var bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).TrimEnd((byte)'.');
        return bytes.Length is > 0 and <= LongestName && Ascii.IsValid(bytes) ? Encoding.ASCII.GetString(bytes) : null;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnServerName(nint ssl, int* alert, nint self)
    {
        const int internalError = 80;
        try
        {
            if (GCHandle.FromIntPtr(self).Target is TlsFront front && front.Choose(ssl))
            {
                return OpenSsl.ExtensionOk;
            }
        }
        catch (InvalidOperationException)
        {
            // It ends just now.
        }

        *alert = internalError;
        return OpenSsl.ExtensionFatal;
    }

    // What a client offers that speaks neither is refused (RFC 7301 section 3.2); who offers nothing gets HTTP/1.1.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnProtocols(nint ssl, byte** chosen, byte* chosenLength, byte* offered, uint length, nint offersHttp2)
    {
        byte* http1 = null;
        for (uint at = 0; at < length; at += 1u + offered[at])
        {
            var name = new ReadOnlySpan<byte>(offered + at + 1, (int)Math.Min(offered[at], length - at - 1));
            if (offersHttp2 != 0 && name.SequenceEqual("h2"u8))
            {
                *chosen = offered + at + 1;
                *chosenLength = 2;
                return OpenSsl.ExtensionOk;
            }

            if (name.SequenceEqual("http/1.1"u8))
            {
                http1 = offered + at + 1;
            }
        }

        if (http1 is null)
        {
            return OpenSsl.ExtensionFatal;
        }

        *chosen = http1;
        *chosenLength = 8;
        return OpenSsl.ExtensionOk;
    }

    private sealed record Loaded(TlsCertificate Certificate, nint Context);
}
