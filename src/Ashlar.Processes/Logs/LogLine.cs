using System.Text;

namespace Ashlar.Processes;

/// <summary>One line of a log, byte for byte as the program wrote it.</summary>
/// <param name="Bytes">The line without its newline; it need not be valid UTF-8.</param>
/// <param name="End">Offset in the log behind it: to go on from there later.</param>
/// <param name="Complete">False: the newline has not come (yet), because the line is longer than the cap or was left unfinished.</param>
public readonly record struct LogLine(ReadOnlyMemory<byte> Bytes, long End, bool Complete)
{
    /// <summary>When it was written, to about a second (see <see cref="LogClock"/>); null: not known, or not asked for.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>The line as text, what is not UTF-8 replaced, without a carriage return at its end.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span).TrimEnd('\r');
}
