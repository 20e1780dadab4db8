namespace Ashlar.Edge.Forwarding;

/// <summary>The idle connections of a loop, the longest idle first; linked through the connections, so that it costs nothing per request.</summary>
internal sealed class IdleList
{
    private ClientConnection? _newest;

    /// <summary>The one idle longest.</summary>
    public ClientConnection? Oldest { get; private set; }

    public void Add(ClientConnection connection)
    {
        connection.IdleBefore = _newest;
        connection.IdleAfter = null;
        connection.IsListedIdle = true;
        if (_newest is null)
        {
            Oldest = connection;
        }
        else
        {
            _newest.IdleAfter = connection;
        }

        _newest = connection;
    }

    public void Remove(ClientConnection connection)
    {
        if (!connection.IsListedIdle)
        {
            return;
        }

        connection.IsListedIdle = false;
        if (connection.IdleBefore is null)
        {
            Oldest = connection.IdleAfter;
        }
        else
        {
            connection.IdleBefore.IdleAfter = connection.IdleAfter;
        }

        if (connection.IdleAfter is null)
        {
            _newest = connection.IdleBefore;
        }
        else
        {
            connection.IdleAfter.IdleBefore = connection.IdleBefore;
        }

        connection.IdleBefore = connection.IdleAfter = null;
    }

    public void ForEach(Action<ClientConnection> action)
    {
        for (var connection = Oldest; connection is not null;)
        {
            var next = connection.IdleAfter;
            action(connection);
            connection = next;
        }
    }
}
