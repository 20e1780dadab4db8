using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Ashlar.Dashboard.Http;

/// <summary>
/// Bounds the connections. At the bound the one that has been without a request for longest gives way, also one that has sent half a
/// head: so who opens connections and says nothing shuts nobody out.
/// </summary>
internal sealed class ConnectionRoom
{
    /// <summary>Connections that there may be.</summary>
    public const int Most = 448;

    private readonly Lock _lock = new();
    private readonly LinkedList<ConnectionContext> _idle = [];
    private int _count;

    /// <summary>Serves a connection, if there is room for it.</summary>
    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var place = new LinkedListNode<ConnectionContext>(connection);
        if (!Enter(place, out var leaving))
        {
            connection.Abort();
            return;
        }

        leaving?.Abort(new ConnectionAbortedException("It was idle for longest."));
        connection.Items[this] = place;
        try
        {
            await next(connection);
        }
        finally
        {
            lock (_lock)
            {
                Remove(place);
                _count--;
            }
        }
    }

    /// <summary>A request has come.</summary>
    public void Begin(IFeatureCollection features)
    {
        lock (_lock)
        {
            Remove(PlaceOf(features));
        }
    }

    /// <summary>It is answered.</summary>
    public void End(IFeatureCollection features)
    {
        lock (_lock)
        {
            if (PlaceOf(features) is { List: null } place && !place.Value.ConnectionClosed.IsCancellationRequested)
            {
                _idle.AddLast(place);
            }
        }
    }

    private bool Enter(LinkedListNode<ConnectionContext> place, out ConnectionContext? leaving)
    {
        lock (_lock)
        {
            leaving = null;
            if (_count >= Most)
            {
                if (_idle.First is not { } oldest)
                {
                    return false;
                }

                _idle.Remove(oldest);
                leaving = oldest.Value;
            }

            _count++;
            _idle.AddLast(place);
            return true;
        }
    }

    private LinkedListNode<ConnectionContext>? PlaceOf(IFeatureCollection features) =>
        features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(this, out var place) == true ? place as LinkedListNode<ConnectionContext> : null;

    private void Remove(LinkedListNode<ConnectionContext>? place)
    {
        if (place?.List is not null)
        {
            _idle.Remove(place);
        }
    }
}
