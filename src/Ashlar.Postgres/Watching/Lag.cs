namespace Ashlar.Postgres.Watching;

/// <summary>How far a replica is behind its primary. Pure.</summary>
internal static class Lag
{
    /// <summary>Bytes and seconds; null where they cannot be known.</summary>
    /// <param name="replica">A look at the replica.</param>
    /// <param name="primary">A look at the primary of about the same moment; null: it does not answer.</param>
    public static (long? Bytes, double? Seconds) Of(ServerLook replica, ServerLook? primary)
    {
        if (primary is null)
        {
            // What it has received it knows; what else there is, nobody can say.
            return (null, null);
        }

        // The looks are not of one moment: a replica that was looked at later may be ahead.
        var bytes = Math.Max(0, primary.Position - replica.Position);

        // The age of the last transaction says nothing while there is none: with nothing outstanding it is up to date.
        var nothingOutstanding = bytes == 0 || (replica.Streams && replica.Received == replica.Position && primary.Position <= replica.Received);
        return (bytes, nothingOutstanding ? 0 : Math.Max(0, replica.ReplayAge ?? 0));
    }
}
