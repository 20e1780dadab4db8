using System.Globalization;

namespace Ashlar.Jobs.Queue;

/// <summary>
/// What a transaction sees of others, as <c>pg_snapshot</c> writes it: <c>xmin:xmax:running,running</c> (PostgreSQL, 9.27.10). Two of them say
/// which transactions have committed between them, however long they took.
/// </summary>
internal sealed record TransactionSnapshot(string Text, ulong Min, ulong Max, ulong[] Running)
{
    /// <exception cref="FormatException">It is none.</exception>
    public static TransactionSnapshot Parse(string text)
    {
        var parts = text.Split(':');
        if (parts.Length != 3)
        {
            throw new FormatException($"'{text}' is no snapshot.");
        }

        return new TransactionSnapshot(text, Number(parts[0]), Number(parts[1]),
            parts[2].Length == 0 ? [] : [.. parts[2].Split(',').Select(Number)]);
    }

    /// <summary>True: what the transaction did is seen, if it did not fail.</summary>
    public bool Sees(ulong transaction) => transaction < Min || (transaction < Max && Array.IndexOf(Running, transaction) < 0);

    /// <summary>Transactions that ran at an earlier snapshot and are seen by this one.</summary>
    public ulong[] Late(TransactionSnapshot earlier) => [.. earlier.Running.Where(Sees)];

    private static ulong Number(string text) => ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
