using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ashlar.Fleet.Identity;

/// <summary>
/// What a machine shows to the others and knows them by: its certificate with its key, which never leaves it, and the stack's authority.
/// Three PEM files in one folder, as etcd and PostgreSQL read them too.
/// </summary>
public sealed class MachineIdentity : IDisposable
{
    /// <summary>Name of the file with the private key.</summary>
    public const string KeyFile = "machine.key";

    /// <summary>Name of the file with the certificate.</summary>
    public const string CertificateFile = "machine.crt";

    /// <summary>Name of the file with the authority's certificate.</summary>
    public const string AuthorityFile = "authority.crt";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private volatile X509Certificate2 _certificate;
    private volatile X509Certificate2 _authority;

    private MachineIdentity(string folder, X509Certificate2 certificate, X509Certificate2 authority)
    {
        (Folder, _certificate, _authority) = (folder, certificate, authority);
        Name = NameOf(certificate);
    }

    /// <summary>Name of the machine that a certificate is of.</summary>
    public static string NameOf(X509Certificate2 certificate) => certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    /// <summary>The certificate with its key, as it is now.</summary>
    public X509Certificate2 Certificate => _certificate;

    /// <summary>SHA-256 of the authority's certificate.</summary>
    public byte[] AuthorityFingerprint => StackAuthority.FingerprintOf(_authority);

    /// <summary>Name of the machine, as the authority has signed it.</summary>
    public string Name { get; }

    /// <summary>Folder of the files.</summary>
    public string Folder { get; }

    /// <summary>Path of the private key, readable by its owner alone.</summary>
    public string KeyPath => Path.Combine(Folder, KeyFile);

    /// <summary>Path of the certificate.</summary>
    public string CertificatePath => Path.Combine(Folder, CertificateFile);

    /// <summary>Path of the authority's certificate.</summary>
    public string AuthorityPath => Path.Combine(Folder, AuthorityFile);

    /// <summary>End of the certificate's life.</summary>
    public DateTimeOffset ValidUntil => new(_certificate.NotAfter);

    /// <summary>True: less than a third of its life is left, so it is to be signed anew.</summary>
    public bool IsDue(DateTimeOffset now) => ValidUntil - now < StackAuthority.MachineLife / 3;

    /// <summary>Makes the key where there is none yet, and a request for the authority to sign (PEM).</summary>
    public static string Request(string folder, string machine)
    {
        MachineName.Check(machine);
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, KeyFile);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(path))
        {
            key.ImportFromPem(File.ReadAllText(path));
        }
        else
        {
            Write(path, key.ExportPkcs8PrivateKeyPem(), OwnerOnly);
        }

        return new CertificateRequest($"CN={machine}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }

    /// <summary>Keeps what the authority has signed.</summary>
    public static void Keep(string folder, string certificatePem, string authorityPem)
    {
        const UnixFileMode readable = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        Write(Path.Combine(folder, AuthorityFile), authorityPem, readable);
        Write(Path.Combine(folder, CertificateFile), certificatePem, readable);
    }

    /// <summary>Keeps a certificate that was signed anew, by the same authority for the same key.</summary>
    public static void Renew(string folder, string certificatePem) => Keep(folder, certificatePem, File.ReadAllText(Path.Combine(folder, AuthorityFile)));

    /// <summary>True: the certificate that lies in a folder is to be signed anew.</summary>
    public static bool IsDue(string folder, DateTimeOffset now)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, CertificateFile));
        return new DateTimeOffset(certificate.NotAfter) - now < StackAuthority.MachineLife / 3;
    }

    /// <summary>Reads the identity; null where there is none.</summary>
    /// <exception cref="Errors.AshlarException">ASH7507.</exception>
    public static MachineIdentity? Load(string folder)
    {
        var path = Path.Combine(folder, CertificateFile);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var fromPem = X509Certificate2.CreateFromPemFile(path, Path.Combine(folder, KeyFile));
            // A key that SslStream can use for ever: one from PEM is bound to an object that may be collected.
            var certificate = X509CertificateLoader.LoadPkcs12(fromPem.Export(X509ContentType.Pkcs12), null);
            return new MachineIdentity(folder, certificate, X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, AuthorityFile)));
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw FleetErrors.IdentityUnusable(folder, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Takes what lies in the folder now, where it was renewed; connections that are open go on. True: it is another certificate.</summary>
    /// <exception cref="Errors.AshlarException">ASH7507: what lies there is of no use; what was before holds.</exception>
    public bool Reload()
    {
        // Asked every few seconds: the key is taken out of its file only where there is something new.
        if (IsSame(CertificateFile, _certificate) && IsSame(AuthorityFile, _authority))
        {
            return false;
        }

        // Not disposed: handshakes may be under way with what was before.
        if (Load(Folder) is not { } next)
        {
            return false;
        }

        (_certificate, _authority) = (next._certificate, next._authority);
        return true;
    }

    private bool IsSame(string file, X509Certificate2 known)
    {
        try
        {
            using var now = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Folder, file));
            return now.RawDataMemory.Span.SequenceEqual(known.RawDataMemory.Span);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Serves others: they must show a certificate of the stack.</summary>
    public SslServerAuthenticationOptions ServerOptions() => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(_certificate, null, offline: true),
        ClientCertificateRequired = true,
        CertificateChainPolicy = Policy(),
        AllowRenegotiation = false,
    };

    /// <summary>Calls a machine: it must be the one meant.</summary>
    public SslClientAuthenticationOptions ClientOptions(string machine) => new()
    {
        TargetHost = machine,
        ClientCertificateContext = SslStreamCertificateContext.Create(_certificate, null, offline: true),
        CertificateChainPolicy = Policy(),
    };

    /// <summary>Connects to a machine.</summary>
    /// <exception cref="Errors.AshlarException">ASH7503: another one answers there.</exception>
    /// <exception cref="IOException">It does not answer.</exception>
    public async Task<SslStream> ConnectAsync(string machine, IPEndPoint address, CancellationToken cancellation = default)
    {
        var socket = new System.Net.Sockets.Socket(address.AddressFamily, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        PeerSocket.Prepare(socket);
        var found = "nobody of this stack";
        try
        {
            await socket.ConnectAsync(address, cancellation);
            var stream = new SslStream(new System.Net.Sockets.NetworkStream(socket, ownsSocket: true));
            var options = ClientOptions(machine);
            options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (certificate is X509Certificate2 shown && (errors == SslPolicyErrors.RemoteCertificateNameMismatch || IsOutOfTime(chain)))
                {
                    found = $"machine {NameOf(shown)}" + (IsOutOfTime(chain)
                        ? string.Create(CultureInfo.InvariantCulture, $", with a certificate that is good from {shown.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to {shown.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC,")
                        : "");
                }

                return errors == SslPolicyErrors.None;
            };
            await stream.AuthenticateAsClientAsync(options, cancellation);
            return stream;
        }
        catch (System.Security.Authentication.AuthenticationException)
        {
            socket.Dispose();
            throw FleetErrors.AnswersAsAnother(machine, address.ToString(), found);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            socket.Dispose();
            throw new IOException(e.Message, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _certificate.Dispose();
        _authority.Dispose();
    }

    private static bool IsOutOfTime(X509Chain? chain) => chain is not null && chain.ChainStatus.Length > 0
        && Array.TrueForAll(chain.ChainStatus, status => status.Status == X509ChainStatusFlags.NotTimeValid);

    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_authority);
        return policy;
    }

    private static void Write(string path, string text, UnixFileMode mode)
    {
        var next = $"{path}.next";
        using (var stream = new FileStream(next, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = mode }))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
    }
}
