namespace Ashlar.Catalog.Etcd;

/// <summary>etcd's refusals, by its own codes and sentences (etcdserver/api/v3rpc/rpctypes/error.go).</summary>
internal static class EtcdRefusals
{
    private const int NotFound = 5;
    private const int FailedPrecondition = 9;
    private const int ResourceExhausted = 8;
    private const int OutOfRange = 11;

    public static bool IsLeaseGone(EtcdRefusalException e) => e is { Code: NotFound, Message: "etcdserver: requested lease not found" };

    public static bool IsLeaseThere(EtcdRefusalException e) => e is { Code: FailedPrecondition, Message: "etcdserver: lease already exists" };

    public static bool IsCompacted(EtcdRefusalException e) =>
        e is { Code: OutOfRange, Message: "etcdserver: mvcc: required revision has been compacted" };

    public static bool IsFuture(EtcdRefusalException e) =>
        e is { Code: OutOfRange, Message: "etcdserver: mvcc: required revision is a future revision" };

    /// <summary>The error that a person is shown.</summary>
    public static Exception Translate(EtcdRefusalException e) => e is { Code: ResourceExhausted } && e.Message.Contains("space exceeded", StringComparison.Ordinal)
        ? CatalogErrors.EtcdFull(e.Message, e)
        : e.Message == "etcdserver: corrupt cluster" ? CatalogErrors.EtcdCorrupt(e.Message, e)
        : CatalogErrors.EtcdRefuses(e.Message, e);
}
