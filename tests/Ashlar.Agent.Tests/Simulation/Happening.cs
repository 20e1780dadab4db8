namespace Ashlar.Agent.Tests.Simulation;

/// <summary>Something that happens in a history: a line of words, in a file as in the message of a failed test.</summary>
internal sealed record Happening(string Verb, params string[] Words)
{
    /// <summary>Reads a history: a line each; empty ones and comments (<c>#</c>) are passed over.</summary>
    public static IReadOnlyList<Happening> Read(string text) =>
    [
        .. text.Split('\n').Select(line => line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Where(words => words.Length > 0).Select(words => new Happening(words[0], words[1..])),
    ];

    /// <inheritdoc />
    public override string ToString() => string.Join(' ', [Verb, .. Words]);
}
