using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.Catalog.Etcd;

// The messages of etcd's API v3 as its JSON gateway writes them (etcd 3.4, rpc.proto): 64-bit numbers are strings, bytes are base64, and
// whatever is zero, false or empty is left out, in both directions.

/// <summary>What begins every answer of etcd.</summary>
/// <param name="ClusterId">Number of the cluster; a restored one has another.</param>
/// <param name="MemberId">Number of the member that answered.</param>
/// <param name="Revision">Revision of the store.</param>
/// <param name="RaftTerm">How many elections there were.</param>
public sealed record EtcdHeader(ulong ClusterId, ulong MemberId, long Revision, ulong RaftTerm);

internal sealed record EtcdKeyValue(byte[]? Key, long CreateRevision, long ModRevision, byte[]? Value, long Lease);

internal sealed record RangeRequest(byte[] Key, byte[]? RangeEnd = null, long Limit = 0, long Revision = 0, bool CountOnly = false);

internal sealed record RangeAnswer(EtcdHeader? Header, EtcdKeyValue[]? Kvs, bool More, long Count) : IEtcdAnswer;

internal sealed record PutRequest(byte[] Key, byte[] Value, long Lease);

internal sealed record DeleteRequest(byte[] Key);

internal sealed record Operation(PutRequest? RequestPut = null, DeleteRequest? RequestDeleteRange = null);

/// <summary>Equal is the zero of etcd's results, so it is not said.</summary>
internal sealed record Comparison(byte[] Key, string Target, long? ModRevision = null, long? CreateRevision = null);

internal sealed record TransactionRequest(Comparison[] Compare, Operation[] Success);

internal sealed record TransactionAnswer(EtcdHeader? Header, bool Succeeded) : IEtcdAnswer;

internal sealed record LeaseRequest(
    [property: JsonPropertyName("ID")] long Id, [property: JsonPropertyName("TTL")] long TimeToLive = 0);

internal sealed record LeaseAnswer(
    EtcdHeader? Header, [property: JsonPropertyName("ID")] long Id, [property: JsonPropertyName("TTL")] long TimeToLive) : IEtcdAnswer;

internal sealed record LeaseStreamAnswer(LeaseAnswer? Result) : IEtcdAnswer
{
    [JsonIgnore]
    public EtcdHeader? Header => Result?.Header;
}

internal sealed record CompactionRequest(long Revision);

internal sealed record HeaderAnswer(EtcdHeader? Header) : IEtcdAnswer;

internal sealed record StatusRequest;

/// <summary>What one member says of itself, without asking the others. No leader is left out, like every zero.</summary>
internal sealed record StatusAnswer(EtcdHeader? Header, string? Version, long DbSize, ulong Leader) : IEtcdAnswer;

internal sealed record WatchCreation(byte[] Key, byte[] RangeEnd, long StartRevision, bool ProgressNotify, bool Fragment);

internal sealed record WatchRequest(WatchCreation CreateRequest);

internal sealed record EtcdEvent(string? Type, EtcdKeyValue? Kv);

internal sealed record WatchAnswer(
    EtcdHeader? Header, bool Created, bool Canceled, long CompactRevision, string? CancelReason, bool Fragment, EtcdEvent[]? Events);

internal sealed record StreamError(int GrpcCode, string? Message);

internal sealed record WatchLine(WatchAnswer? Result, StreamError? Error);

/// <summary>
/// An answer that is an error: a code of gRPC and a sentence. Where a stream was asked for, both stand in an object under <c>error</c>, which
/// elsewhere is the sentence again.
/// </summary>
internal sealed record ErrorAnswer(JsonElement Error, string? Message, int Code)
{
    /// <summary>The code and the sentence; null: it is no error of etcd's.</summary>
    public StreamError? Read() => this switch
    {
        { Code: > 0 } => new StreamError(Code, Message),
        { Error.ValueKind: JsonValueKind.Object } when Error.Deserialize(EtcdMessages.Default.StreamError) is { GrpcCode: > 0 } error => error,
        _ => null,
    };
}

/// <summary>Whatever answers with etcd's header.</summary>
public interface IEtcdAnswer
{
    /// <summary>Which cluster and member, and the revision.</summary>
    EtcdHeader? Header { get; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(RangeRequest))]
[JsonSerializable(typeof(RangeAnswer))]
[JsonSerializable(typeof(TransactionRequest))]
[JsonSerializable(typeof(TransactionAnswer))]
[JsonSerializable(typeof(LeaseRequest))]
[JsonSerializable(typeof(LeaseAnswer))]
[JsonSerializable(typeof(LeaseStreamAnswer))]
[JsonSerializable(typeof(CompactionRequest))]
[JsonSerializable(typeof(HeaderAnswer))]
[JsonSerializable(typeof(StatusRequest))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(WatchRequest))]
[JsonSerializable(typeof(WatchLine))]
[JsonSerializable(typeof(ErrorAnswer))]
internal sealed partial class EtcdMessages : JsonSerializerContext;
