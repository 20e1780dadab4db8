namespace Ashlar.Logs;

/// <summary>Puts the lines of several logs into the order in which they were written. Those of one log keep theirs.</summary>
internal static class LogMerge
{
    /// <summary>Merges as the lines are asked for; of each log only the next line is held.</summary>
    /// <param name="logs">The logs.</param>
    public static IEnumerable<InstanceLine> ByTime(IEnumerable<IEnumerable<InstanceLine>> logs)
    {
        var open = new List<IEnumerator<InstanceLine>>();
        var next = new PriorityQueue<int, (DateTimeOffset Place, int Log)>();
        try
        {
            foreach (var log in logs)
            {
                open.Add(log.GetEnumerator());
                Advance(open.Count - 1, begins: true);
            }

            while (next.TryDequeue(out var log, out _))
            {
                do
                {
                    yield return open[log].Current;
                }
                while (Advance(log, begins: false));
            }
        }
        finally
        {
            foreach (var log in open) log.Dispose();
        }

        // True: the next line belongs to the one before and is to follow at once.
        bool Advance(int log, bool begins)
        {
            if (!open[log].MoveNext()) return false;
            if (!begins && open[log].Current.Continues) return true;
            next.Enqueue(log, (open[log].Current.Place, log));
            return false;
        }
    }
}
