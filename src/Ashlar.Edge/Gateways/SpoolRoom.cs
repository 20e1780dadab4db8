namespace Ashlar.Edge.Gateways;

/// <summary>What all spools of an edge may take together, whatever service and loop they are of. Safe on every thread.</summary>
/// <param name="memory">Bytes of memory.</param>
/// <param name="files">Bytes in files.</param>
internal sealed class SpoolRoom(long memory, long files)
{
    public Share Memory { get; } = new(memory);

    public Share Files { get; } = new(files);

    /// <summary>Bytes of one kind, counted where they are taken and given back; never more than there are.</summary>
    internal sealed class Share(long most)
    {
        private long _taken;

        public long Taken => Volatile.Read(ref _taken);

        public bool TryTake(long bytes)
        {
            if (Interlocked.Add(ref _taken, bytes) <= most)
            {
                return true;
            }

            GiveBack(bytes);
            return false;
        }

        public void GiveBack(long bytes) => Interlocked.Add(ref _taken, -bytes);
    }
}
