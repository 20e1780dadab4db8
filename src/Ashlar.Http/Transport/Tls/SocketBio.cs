using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ashlar.Http.Transport.Tls;

/// <summary>What a session's socket is known to be able to do; in native memory, because OpenSSL hands it back as a pointer.</summary>
internal struct SocketState
{
    public int Fd;

    /// <summary>Nothing lies in the socket, until an event says otherwise.</summary>
    public bool IsDrained;

    /// <summary>No room in the socket, until an event says otherwise.</summary>
    public bool IsFull;

    /// <summary>The peer's end has been told; so a short read does not mean that nothing follows.</summary>
    public bool HasHungUp;

    /// <summary>The end of the stream has been read.</summary>
    public bool IsAtEnd;
}

/// <summary>
/// OpenSSL's way to the socket: as its own, but it knows from short reads and writes that another call would find nothing, as a
/// plain connection does; and no write raises SIGPIPE.
/// </summary>
internal static unsafe class SocketBio
{
    // BIO_FLAGS_READ, BIO_FLAGS_WRITE, BIO_FLAGS_SHOULD_RETRY, and the mask of all that say what to retry.
    private const int Read = 0x1;
    private const int Write = 0x2;
    private const int Retry = 0x8;
    private const int RetryMask = 0xf;

    private const int ControlEnd = 2;
    private const int ControlFlush = 11;
    private const int SourceSink = 0x0400;

    private static readonly nint _method = MakeMethod();

    /// <summary>A BIO on the socket of <paramref name="state"/>, which must outlive it.</summary>
    public static nint Over(SocketState* state)
    {
        var bio = OpenSsl.NewBio(_method);
        OpenSsl.SetBioData(bio, state);
        OpenSsl.SetBioReady(bio, 1);
        return bio;
    }

    private static nint MakeMethod()
    {
        fixed (byte* name = "ashlar socket\0"u8)
        {
            var method = OpenSsl.NewBioMethod(OpenSsl.NewBioIndex() | SourceSink, name);
            _ = OpenSsl.SetBioRead(method, &OnRead);
            _ = OpenSsl.SetBioWrite(method, &OnWrite);
            _ = OpenSsl.SetBioControl(method, &OnControl);
            return method;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnRead(nint bio, byte* to, int length)
    {
        var state = (SocketState*)OpenSsl.BioData(bio);
        OpenSsl.ClearBioFlags(bio, RetryMask);
        while (!state->IsDrained)
        {
            var received = (int)LibC.Receive(state->Fd, to, (nuint)length, 0);
            if (received > 0)
            {
                state->IsDrained = received < length && !state->HasHungUp;
                return received;
            }

            if (received == 0)
            {
                state->IsAtEnd = true;
                return 0;
            }

            switch (LibC.Errno)
            {
                case LibC.ErrorInterrupted:
                    break;
                case LibC.ErrorAgain:
                    state->IsDrained = true;
                    break;
                default:
                    return -1;
            }
        }

        OpenSsl.SetBioFlags(bio, Read | Retry);
        return -1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnWrite(nint bio, byte* from, int length)
    {
        var state = (SocketState*)OpenSsl.BioData(bio);
        OpenSsl.ClearBioFlags(bio, RetryMask);
        while (!state->IsFull)
        {
            var sent = (int)LibC.Send(state->Fd, from, (nuint)length, LibC.MessageNoSignal);
            if (sent >= 0)
            {
                state->IsFull = sent < length;
                return sent;
            }

            switch (LibC.Errno)
            {
                case LibC.ErrorInterrupted:
                    break;
                case LibC.ErrorAgain:
                    state->IsFull = true;
                    break;
                default:
                    return -1;
            }
        }

        OpenSsl.SetBioFlags(bio, Write | Retry);
        return -1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint OnControl(nint bio, int command, nint number, nint pointer) => command switch
    {
        ControlFlush => 1,
        ControlEnd => ((SocketState*)OpenSsl.BioData(bio))->IsAtEnd ? 1 : 0,
        _ => 0,
    };
}
