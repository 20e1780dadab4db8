using Ashlar.Errors;

namespace Ashlar.Http.Transport.Tls;

/// <summary>Three PEM files: who we are, and whom we trust.</summary>
/// <param name="Certificate">Path of the certificate, with its chain if it has one.</param>
/// <param name="Key">Path of its private key.</param>
/// <param name="Authority">Path of the certificate that has signed those of the peers; null: peers show none (only for a server).</param>
public sealed record TlsFiles(string Certificate, string Key, string? Authority)
{
    /// <summary>The files of a machine's identity in <paramref name="folder"/>: <c>machine.crt</c>, <c>machine.key</c>, <c>authority.crt</c>.</summary>
    public static TlsFiles OfMachine(string folder) =>
        new(Path.Combine(folder, "machine.crt"), Path.Combine(folder, "machine.key"), Path.Combine(folder, "authority.crt"));

    /// <summary>Changes when a file does.</summary>
    internal string Stamp() => string.Join(';', Paths.Select(static path => new FileInfo(path) is { Exists: true } file
        ? $"{file.LastWriteTimeUtc.Ticks}+{file.Length}" : "-"));

    private IEnumerable<string> Paths => Authority is null ? [Certificate, Key] : [Certificate, Key, Authority];
}

/// <summary>
/// What the TLS connections of one kind have in common: certificate, key, trust, and the rules. TLS 1.3, or 1.2 with forward secrecy
/// and authenticated encryption alone; no renegotiation, no compression; sessions are resumed by tickets. Safe on every thread.
/// </summary>
public sealed unsafe class TlsContext : TlsAcceptor, IDisposable
{
    private readonly TlsFiles _files;
    private readonly Lock _gate = new();
    private nint _context;
    private string _stamp;

    private TlsContext(bool isServer, TlsFiles files)
    {
        OpenSsl.Load();
        IsServer = isServer;
        _files = files;
        _stamp = files.Stamp();
        _context = Make();
    }

    /// <summary>True: it accepts. False: it connects.</summary>
    public bool IsServer { get; }

    /// <summary>Grows when the files are read anew; sessions of before are not resumed.</summary>
    internal int Generation { get; private set; }

    /// <summary>For accepting. With an authority, who shows no certificate of it is refused.</summary>
    /// <exception cref="AshlarException">ASH3048: no OpenSSL; ASH3049: a file is not usable.</exception>
    public static TlsContext ForServer(TlsFiles files) => new(isServer: true, files);

    /// <summary>For connecting. The peer must show a certificate of the authority for the name that is meant.</summary>
    /// <exception cref="AshlarException">ASH3048: no OpenSSL; ASH3049: a file is not usable.</exception>
    public static TlsContext ForClient(TlsFiles files) => new(isServer: false, files);

    /// <summary>Reads the files anew if one has changed. New connections use them; those that are open go on.</summary>
    /// <returns>True if they had changed.</returns>
    /// <exception cref="AshlarException">ASH3049: one is not usable; what was read before stays in use.</exception>
    public bool ReloadIfChanged()
    {
        var stamp = _files.Stamp();
        if (stamp == _stamp)
        {
            return false;
        }

        var next = Make();
        lock (_gate)
        {
            // Sessions hold a reference of their own.
            OpenSsl.FreeContext(_context);
            _context = next;
            Generation++;
        }

        _stamp = stamp;
        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_gate)
        {
            OpenSsl.FreeContext(_context);
            _context = 0;
        }
    }

    /// <summary>A session for one connection; <paramref name="generation"/> is that of the files it uses.</summary>
    internal override nint NewSession(out int generation)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_context == 0, this);
            generation = Generation;
            return OpenSsl.New(_context);
        }
    }

    private nint Make()
    {
        OpenSsl.ClearErrors();
        var context = OpenSsl.NewContext(IsServer ? OpenSsl.ServerMethod() : OpenSsl.ClientMethod());
        try
        {
            SetRules(context, IsServer);
            Check(OpenSsl.UseCertificate(context, _files.Certificate), _files.Certificate);
            Check(OpenSsl.UseKey(context, _files.Key, OpenSsl.FilePem), _files.Key);
            Check(OpenSsl.CheckKey(context), _files.Key);
            if (_files.Authority is { } authority)
            {
                Check(OpenSsl.LoadAuthority(context, authority), authority);
                OpenSsl.SetVerify(context, OpenSsl.VerifyPeer | OpenSsl.FailIfNoPeerCertificate, 0);
                if (IsServer)
                {
                    OpenSsl.SetAuthorityNames(context, OpenSsl.LoadAuthorityNames(authority));
                }
            }
            else if (!IsServer)
            {
                throw new InvalidOperationException("Who connects must know whom to trust.");
            }

            return context;
        }
        catch
        {
            OpenSsl.FreeContext(context);
            throw;
        }
    }

    internal static void Check(int result, string path)
    {
        if (result != 1)
        {
            var reason = OpenSsl.TakeError();
            throw HttpErrors.TlsFilesUnusable(path, !File.Exists(path) ? "there is no such file" : reason.Length > 0 ? reason : "it cannot be read");
        }
    }
}
