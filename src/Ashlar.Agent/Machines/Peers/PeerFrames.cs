using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines;

/// <summary>
/// What two agents say to each other over TLS: the first byte says what for, the second which protocol the caller speaks. The one called says
/// hello, or why not; then come frames like those of the agent's own socket.
/// </summary>
internal static class PeerFrames
{
    /// <summary>One who has no certificate yet wants to become a machine of the stack.</summary>
    public const byte Join = (byte)'J';

    /// <summary>The agent's API follows.</summary>
    public const byte Api = (byte)'A';

    /// <summary>A release is wanted.</summary>
    public const byte Fetch = (byte)'F';

    /// <summary>The files of an app are wanted that is to be brought up.</summary>
    public const byte Sources = (byte)'U';

    /// <summary>A lease is to be left to the one who asks.</summary>
    public const byte Lease = (byte)'L';

    /// <summary>A program is to run there for somebody here.</summary>
    public const byte Session = (byte)'S';

    /// <summary>A machine's certificates are to be signed anew.</summary>
    public const byte Renew = (byte)'R';

    /// <summary>What we speak. It changes when an agent that does not know of the change would misunderstand.</summary>
    public const byte Protocol = 1;

    private const int Longest = 1 << 20;

    public static async Task WriteAsync<T>(Stream stream, T message, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(message, type);
        var frame = new byte[sizeof(int) + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
        body.CopyTo(frame, sizeof(int));
        await stream.WriteAsync(frame, cancellation);
    }

    /// <summary>Says what a call is for.</summary>
    public static ValueTask WritePurposeAsync(Stream stream, byte purpose, CancellationToken cancellation) =>
        stream.WriteAsync(new[] { purpose, Protocol }, cancellation);

    /// <summary>Reads what a call is for, and which protocol the caller speaks.</summary>
    public static async Task<(byte Purpose, int Protocol)> ReadPurposeAsync(Stream stream, CancellationToken cancellation)
    {
        var said = new byte[2];
        await stream.ReadExactlyAsync(said, cancellation);
        return (said[0], said[1]);
    }

    /// <exception cref="IOException">It ends, or is no frame.</exception>
    public static async Task<T> ReadAsync<T>(Stream stream, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var header = new byte[sizeof(int)];
        await stream.ReadExactlyAsync(header, cancellation);
        var length = BinaryPrimitives.ReadInt32BigEndian(header);
        if (length is <= 0 or > Longest)
        {
            throw new IOException($"A frame of {length} bytes.");
        }

        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellation);
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw new IOException("A frame that says null.");
        }
        catch (JsonException e)
        {
            throw new IOException("A frame that is not the JSON expected.", e);
        }
    }
}

/// <summary>Asks that a lease be left to the machine that asks, while the shared store cannot be reached.</summary>
/// <param name="Lease">Its name.</param>
internal sealed record LeaseQuestion(string Lease);

/// <summary>Whether it is.</summary>
/// <param name="Agreed">True: this machine knows of no other that has it.</param>
internal sealed record LeaseAgreement(bool Agreed);

/// <summary>First answer to one who wants to join: only what is no secret.</summary>
/// <param name="Authority">The authority's certificate as PEM.</param>
internal sealed record AuthorityAnswer(string Authority);

/// <summary>Wants to join.</summary>
/// <param name="Secret">The token's secret.</param>
/// <param name="Name">Name that the machine is to have.</param>
/// <param name="Request">Its certificate request, PEM.</param>
/// <param name="HopRequest">The same for its edge.</param>
/// <param name="Address">Address at which the others reach it.</param>
/// <param name="PeerPort">Port for other agents.</param>
/// <param name="HopPort">Port for other edges.</param>
/// <param name="Memory">Bytes of memory that it has.</param>
/// <param name="Cores">Cores that it has.</param>
/// <param name="Labels">Labels that people gave it.</param>
/// <param name="Clock">Its clock.</param>
/// <param name="ProgramVersion">Its build.</param>
internal sealed record JoinRequest(
    byte[] Secret, string Name, string Request, string HopRequest, string Address, int PeerPort, int HopPort, long Memory, int Cores, ImmutableSortedSet<string> Labels,
    DateTimeOffset Clock, string ProgramVersion);

/// <summary>It has joined.</summary>
/// <param name="Stack">Name of the stack.</param>
/// <param name="Certificate">Its certificate as PEM.</param>
/// <param name="HopCertificate">That of its edge.</param>
/// <param name="HopAuthority">The authority of the edges.</param>
/// <param name="Endpoints">Where etcd answers.</param>
/// <param name="Refusal">Why it has not; then nothing else counts.</param>
internal sealed record JoinAnswer(string Stack, string Certificate, string HopCertificate, string HopAuthority, ImmutableArray<Uri> Endpoints, AshlarError? Refusal = null);

/// <summary>First answer to a machine of the stack.</summary>
/// <param name="Protocol">What the one called speaks.</param>
/// <param name="Error">Why it does not go on; null: it does.</param>
internal sealed record PeerHello(int Protocol, AshlarError? Error = null);

/// <summary>Wants its certificates signed anew; whose they are, its present one says.</summary>
/// <param name="Request">Its certificate request, PEM, with the key that it has.</param>
/// <param name="HopRequest">The same for its edge.</param>
internal sealed record RenewRequest(string Request, string HopRequest);

/// <summary>Certificates signed anew.</summary>
/// <param name="Certificate">The machine's, as PEM.</param>
/// <param name="HopCertificate">That of its edge.</param>
/// <param name="Refusal">Why not; then nothing else counts.</param>
internal sealed record RenewAnswer(string Certificate, string HopCertificate, AshlarError? Refusal = null);

/// <summary>Wants the files of a release.</summary>
/// <param name="Folder">Name of its folder.</param>
internal sealed record FetchRequest(string Folder);

/// <summary>Wants the files of an app, as its folder is now.</summary>
/// <param name="Order">What the order is known by for which they are wanted: nothing else is given.</param>
internal sealed record SourcesRequest(string Order);

/// <summary>What comes before the files.</summary>
/// <param name="Stack">The stack as JSON, with its <c>.env</c>; empty: there is no such order.</param>
/// <param name="Error">Why none come; then nothing else counts.</param>
internal sealed record SourcesAnswer(string Stack, AshlarError? Error = null);

/// <summary>Why something is not done; null: it is.</summary>
internal sealed record PeerRefusal(AshlarError? Error = null);
