using System.Runtime.InteropServices;

namespace Ashlar.Http.Transport.Tls;

/// <summary>
/// The calls of OpenSSL 3 that TLS on the loop needs. Those that only look something up suppress the GC transition; those that may
/// call back into <see cref="SocketBio"/> must not.
/// </summary>
internal static unsafe partial class OpenSsl
{
    public const int ErrorNone = 0;
    public const int ErrorWantRead = 2;
    public const int ErrorWantWrite = 3;
    public const int ErrorZeroReturn = 6;

    public const int FilePem = 1;
    public const int VerifyPeer = 1;
    public const int FailIfNoPeerCertificate = 2;
    public const int CommonName = 13;
    public const uint HostNoWildcards = 0x2;
    public const uint HostNeverSubject = 0x20;
    public const int ShutdownBoth = 3;
    public const int Tls12 = 0x0303;

    public const ulong OptionNoRenegotiation = 1ul << 30;
    public const ulong OptionNoCompression = 1ul << 17;
    public const ulong OptionServerPreference = 1ul << 22;
    public const ulong OptionPrioritizeChaCha = 1ul << 21;

    public const int ExtensionOk = 0;
    public const int ExtensionFatal = 2;
    public const int ExtensionNotUsed = 3;

    public const int ControlMode = 33;
    public const int ControlReadAhead = 41;
    public const int ControlSessionCache = 44;
    public const int ControlServerNameCallback = 53;
    public const int ControlServerNameArgument = 54;
    public const int ControlHostName = 55;
    public const int ControlGroups = 92;
    public const int ControlMinVersion = 123;

    public const int ModePartialWrite = 0x1;
    public const int ModeMovingBuffer = 0x2;
    public const int ModeReleaseBuffers = 0x10;

    private const string Ssl = "libssl.so.3";
    private const string Crypto = "libcrypto.so.3";

    // No handler at the end of the process: loops may still be inside the library then.
    private const ulong InitNoAtExit = 0x80000;
    private const ulong InitSslStrings = 0x200000;
    private const ulong InitCryptoStrings = 0x2;

    /// <summary>Loads and readies the library; cheap when it is ready.</summary>
    /// <exception cref="Errors.AshlarException">ASH3048.</exception>
    public static void Load()
    {
        try
        {
            if (Initialise(InitNoAtExit | InitSslStrings | InitCryptoStrings, 0) != 1)
            {
                throw new DllNotFoundException("it does not initialise");
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw HttpErrors.OpenSslMissing(e.Message.ReplaceLineEndings(" ").TrimEnd('.', ' '), e);
        }
    }

    /// <summary>The reason of the thread's last error, in OpenSSL's words; empties the queue.</summary>
    public static string TakeError()
    {
        var code = LastError();
        ClearErrors();
        return code == 0 ? "" : Text(ReasonOf(code)) is { Length: > 0 } text ? text : $"error {code:x}";
    }

    /// <summary>
    /// True if the thread's last error is an alert about our certificate (RFC 8446 section 6.2: bad_certificate to access_denied,
    /// certificate_required); OpenSSL counts alerts from 1000.
    /// </summary>
    public static bool IsCertificateRefused() => (int)(LastError() & 0x7fffff) is >= 1042 and <= 1049 or 1116;

    public static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    [LibraryImport(Ssl, EntryPoint = "OPENSSL_init_ssl")]
    private static partial int Initialise(ulong options, nint settings);

    [LibraryImport(Ssl, EntryPoint = "TLS_server_method")]
    public static partial nint ServerMethod();

    [LibraryImport(Ssl, EntryPoint = "TLS_client_method")]
    public static partial nint ClientMethod();

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_new")]
    public static partial nint NewContext(nint method);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_free")]
    public static partial void FreeContext(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_ctrl")]
    public static partial nint ControlContext(nint context, int command, nint number, nint pointer);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_options")]
    public static partial ulong SetOptions(nint context, ulong options);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_cipher_list", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetCiphers(nint context, string ciphers);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_num_tickets")]
    public static partial int SetTickets(nint context, nuint number);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_session_id_context")]
    public static partial int SetSessionIdContext(nint context, byte* id, uint length);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_verify")]
    public static partial void SetVerify(nint context, int mode, nint callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_certificate_chain_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int UseCertificate(nint context, string path);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_PrivateKey_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int UseKey(nint context, string path, int type);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_check_private_key")]
    public static partial int CheckKey(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_load_verify_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int LoadAuthority(nint context, string path);

    [LibraryImport(Ssl, EntryPoint = "SSL_load_client_CA_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint LoadAuthorityNames(string path);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_client_CA_list")]
    public static partial void SetAuthorityNames(nint context, nint names);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_callback_ctrl")]
    public static partial nint SetServerNameCallback(nint context, int command, delegate* unmanaged[Cdecl]<nint, int*, nint, int> callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_alpn_select_cb")]
    public static partial void SetProtocolCallback(
        nint context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, nint, int> callback, nint argument);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_SSL_CTX")]
    public static partial nint UseContext(nint ssl, nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_servername")]
    public static partial byte* ServerNameOf(nint ssl, int type);

    [LibraryImport(Ssl, EntryPoint = "SSL_get0_alpn_selected")]
    public static partial void ProtocolOf(nint ssl, byte** data, uint* length);

    [LibraryImport(Ssl, EntryPoint = "SSL_new")]
    public static partial nint New(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_free")]
    public static partial void Free(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_bio")]
    public static partial void SetBio(nint ssl, nint read, nint write);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_accept_state")]
    public static partial void BeServer(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_connect_state")]
    public static partial void BeClient(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_ctrl", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Control(nint ssl, int command, nint number, string text);

    [LibraryImport(Ssl, EntryPoint = "SSL_set1_host", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetHost(nint ssl, string name);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_hostflags")]
    public static partial void SetHostFlags(nint ssl, uint flags);

    [LibraryImport(Ssl, EntryPoint = "SSL_do_handshake")]
    public static partial int Handshake(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_read")]
    public static partial int Read(nint ssl, byte* to, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_peek")]
    public static partial int Peek(nint ssl, byte* to, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_write")]
    public static partial int Write(nint ssl, byte* from, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_shutdown")]
    public static partial int Shutdown(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_shutdown")]
    [SuppressGCTransition]
    public static partial void SetShutdown(nint ssl, int mode);

    [LibraryImport(Ssl, EntryPoint = "SSL_has_pending")]
    [SuppressGCTransition]
    public static partial int HasPending(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_error")]
    [SuppressGCTransition]
    public static partial int ErrorOf(nint ssl, int result);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_verify_result")]
    public static partial nint VerifyResult(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_session_reused")]
    public static partial int IsResumed(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_version")]
    public static partial byte* VersionOf(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get0_peer_certificate")]
    public static partial nint PeerCertificate(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get1_session")]
    public static partial nint TakeSession(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_session")]
    public static partial int SetSession(nint ssl, nint session);

    [LibraryImport(Ssl, EntryPoint = "SSL_SESSION_is_resumable")]
    public static partial int IsResumable(nint session);

    [LibraryImport(Ssl, EntryPoint = "SSL_SESSION_free")]
    public static partial void FreeSession(nint session);

    [LibraryImport(Crypto, EntryPoint = "X509_get_subject_name")]
    public static partial nint SubjectOf(nint certificate);

    [LibraryImport(Crypto, EntryPoint = "X509_NAME_get_text_by_NID")]
    public static partial int TextOf(nint name, int part, byte* to, int length);

    [LibraryImport(Crypto, EntryPoint = "X509_verify_cert_error_string")]
    public static partial byte* VerifyText(nint result);

    [LibraryImport(Crypto, EntryPoint = "ERR_clear_error")]
    [SuppressGCTransition]
    public static partial void ClearErrors();

    [LibraryImport(Crypto, EntryPoint = "ERR_peek_last_error")]
    private static partial ulong LastError();

    [LibraryImport(Crypto, EntryPoint = "ERR_reason_error_string")]
    private static partial byte* ReasonOf(ulong error);

    [LibraryImport(Crypto, EntryPoint = "BIO_get_new_index")]
    public static partial int NewBioIndex();

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_new")]
    public static partial nint NewBioMethod(int type, byte* name);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_read")]
    public static partial int SetBioRead(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_write")]
    public static partial int SetBioWrite(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_ctrl")]
    public static partial int SetBioControl(nint method, delegate* unmanaged[Cdecl]<nint, int, nint, nint, nint> control);

    [LibraryImport(Crypto, EntryPoint = "BIO_new")]
    public static partial nint NewBio(nint method);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_data")]
    public static partial void SetBioData(nint bio, void* data);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_init")]
    public static partial void SetBioReady(nint bio, int ready);

    [LibraryImport(Crypto, EntryPoint = "BIO_get_data")]
    [SuppressGCTransition]
    public static partial void* BioData(nint bio);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_flags")]
    [SuppressGCTransition]
    public static partial void SetBioFlags(nint bio, int flags);

    [LibraryImport(Crypto, EntryPoint = "BIO_clear_flags")]
    [SuppressGCTransition]
    public static partial void ClearBioFlags(nint bio, int flags);
}
