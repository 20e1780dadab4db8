namespace Ashlar.Catalog.Channel;

/// <summary>The process at the other end runs as a user who is neither us nor root: what it says is not to be acted upon.</summary>
/// <param name="message">Who listens where.</param>
public sealed class UntrustedPeerException(string message) : IOException(message);
