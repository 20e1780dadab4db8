namespace Ashlar.Edge.Caching.Store;

/// <summary>How far a fill has come.</summary>
internal enum FillState : byte
{
    /// <summary>The answer's head has not come.</summary>
    Asked,

    /// <summary>The answer comes, and may be read as it does.</summary>
    Flowing,

    /// <summary>The answer is there.</summary>
    Done,

    /// <summary>There is nothing for others: it may not be stored, or did not come. Who waits asks by itself.</summary>
    Given,

    /// <summary>The answer has broken off in the midst of its body.</summary>
    Broken,
}

/// <summary>One exchange that asks the origin, and the others that wait for what it gets. They are woken by it as it goes on.</summary>
internal sealed class Fill(CacheSlot slot, Variation wanted, long sequence)
{
    private readonly Lock _lock = new();
    private readonly List<FillReader> _readers = [];
    private int _state;
    private StoredResponse? _response;

    /// <summary>The URL.</summary>
    public CacheSlot Slot { get; } = slot;

    /// <summary>What the request has in the fields that the URL's responses are known to vary on.</summary>
    public Variation Wanted { get; } = wanted;

    /// <summary>Number of the last purge when it began.</summary>
    public long Sequence { get; } = sequence;

    /// <summary>How far it is.</summary>
    public FillState State => (FillState)Volatile.Read(ref _state);

    /// <summary>What it gets, once it is known to be for all.</summary>
    public StoredResponse? Response => Volatile.Read(ref _response);

    /// <summary>Somebody waits for it or reads from it.</summary>
    public bool HasReaders
    {
        get
        {
            lock (_lock)
            {
                return _readers.Count > 0;
            }
        }
    }

    /// <summary>Lets a reader be woken by whatever happens from now on.</summary>
    public void Attach(FillReader reader)
    {
        lock (_lock)
        {
            _readers.Add(reader);
        }
    }

    /// <summary>A reader needs nothing more.</summary>
    public void Detach(FillReader reader)
    {
        lock (_lock)
        {
            _readers.Remove(reader);
        }
    }

    /// <summary>The answer comes and may be shared.</summary>
    public void Flow(StoredResponse response)
    {
        Volatile.Write(ref _response, response);
        Become(FillState.Flowing);
    }

    /// <summary>More of it has come.</summary>
    public void Progress() => Wake();

    /// <summary>It is over.</summary>
    public void End(FillState state, StoredResponse? response = null)
    {
        if (response is not null)
        {
            Volatile.Write(ref _response, response);
        }

        Become(state);
    }

    private void Become(FillState state)
    {
        Volatile.Write(ref _state, (int)state);
        Wake();
    }

    private void Wake()
    {
        lock (_lock)
        {
            foreach (var reader in _readers)
            {
                reader.Wake();
            }
        }
    }
}
