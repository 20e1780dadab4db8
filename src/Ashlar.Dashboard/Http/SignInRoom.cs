namespace Ashlar.Dashboard.Http;

/// <summary>Bounds the sign-ins of which the token is still on its way: the oldest gives way, and none may take long.</summary>
internal sealed class SignInRoom
{
    /// <summary>How many there may be.</summary>
    public const int Most = 64;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _places = [];

    /// <summary>One more.</summary>
    public Place Enter(CancellationToken gone)
    {
        var place = new Place(this, gone);
        Place? oldest = null;
        lock (_lock)
        {
            if (_places.Count >= Most)
            {
                oldest = _places.First!.Value;
                _places.RemoveFirst();
            }

            _places.AddLast(place);
        }

        oldest?.GiveWay();
        return place;
    }

    /// <summary>A place; its token is cancelled when its holder has to go.</summary>
    internal sealed class Place : IDisposable
    {
        private readonly SignInRoom _room;
        private readonly CancellationTokenSource _ending;

        public Place(SignInRoom room, CancellationToken gone)
        {
            _room = room;
            _ending = CancellationTokenSource.CreateLinkedTokenSource(gone);
            _ending.CancelAfter(Patience);
            Token = _ending.Token;
        }

        public CancellationToken Token { get; }

        public void GiveWay()
        {
            try
            {
                _ending.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has just gone by itself.
            }
        }

        public void Dispose()
        {
            lock (_room._lock)
            {
                _room._places.Remove(this);
            }

            _ending.Dispose();
        }
    }
}
