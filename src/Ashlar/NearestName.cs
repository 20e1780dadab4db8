namespace Ashlar;

/// <summary>Finds the name that was meant by a slip of the fingers.</summary>
internal static class NearestName
{
    /// <summary>The candidate at most a third of the word's letters away; null if none is.</summary>
    public static string? Of(string word, IEnumerable<string> candidates)
    {
        var limit = Math.Max(1, word.Length / 3);
        var prefixed = candidates.Where(candidate => word.Length >= 2 && candidate.StartsWith(word, StringComparison.Ordinal)).Take(2).ToList();
        if (prefixed.Count == 1) return prefixed[0];
        return candidates.Select(candidate => (candidate, distance: Distance(word, candidate)))
            .Where(pair => pair.distance <= limit).OrderBy(pair => pair.distance).Select(pair => pair.candidate).FirstOrDefault();
    }

    // Insertions, deletions, changes and swaps of neighbours each count one.
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                d[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
