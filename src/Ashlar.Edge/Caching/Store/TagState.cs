namespace Ashlar.Edge.Caching.Store;

/// <summary>A tag that stored responses have. A purge sets a number here; a response that was asked for before it is out.</summary>
internal sealed class TagState(string name)
{
    /// <summary>The tag.</summary>
    public string Name { get; } = name;

    /// <summary>Responses that have it.</summary>
    public int Count;

    /// <summary>Number of the last purge.</summary>
    public long PurgedAt;

    /// <summary>Number of the last soft purge.</summary>
    public long ExpiredAt;
}
