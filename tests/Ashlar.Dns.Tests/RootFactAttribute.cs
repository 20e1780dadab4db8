namespace Ashlar.Dns.Tests;

/// <summary>A test that only root can make: of datagrams written octet for octet.</summary>
public sealed class RootFactAttribute : FactAttribute
{
    /// <summary>Skips it for others.</summary>
    public RootFactAttribute() => Skip = Environment.IsPrivilegedProcess ? null : "needs root";
}
