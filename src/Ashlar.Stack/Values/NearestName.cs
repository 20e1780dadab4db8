namespace Ashlar.Stack;

/// <summary>Finds the name a person most likely meant.</summary>
public static class NearestName
{
    /// <summary>
    /// The candidate nearest to <paramref name="written"/> if a slip of the fingers explains the difference, or the only one
    /// that begins with it; else null.
    /// </summary>
    /// <param name="written">What was written; longer than 60 letters it is nobody's slip.</param>
    /// <param name="candidates">The names that are known here.</param>
    public static string? Of(string written, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(written);
        ArgumentNullException.ThrowIfNull(candidates);
        if (written.Length is 0 or > 60)
        {
            return null;
        }

        var allowed = Math.Max(1, written.Length / 3);
        string? best = null;
        var bestDistance = allowed + 1;
        string? begun = null;
        var beginnings = 0;
        foreach (var candidate in candidates)
        {
            if (candidate.StartsWith(written, StringComparison.Ordinal))
            {
                begun = candidate;
                beginnings++;
            }

            var distance = IsPlural(written, candidate) ? 0 : Distance(written.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best ?? (written.Length > 1 && beginnings == 1 ? begun : null);
    }

    private static bool IsPlural(string a, string b) => a == b + "s" || b == a + "s";

    /// <summary>Edit distance in which two neighbours that changed places count once (optimal string alignment).</summary>
    internal static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            d[i, 0] = i;
        }

        for (var j = 0; j <= b.Length; j++)
        {
            d[0, j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
