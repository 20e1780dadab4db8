namespace Ashlar.Errors;

/// <summary>An error that a person can meet: which tier says it, what happened, and what to do next.</summary>
/// <param name="Code">Stable code, <c>ASH</c> and four digits; each has a section in <c>docs/errors.md</c>.</param>
/// <param name="Tier">The tier that refuses: <c>stack</c>, <c>processes</c>, <c>edge</c>, <c>agent</c>, <c>releases</c>, <c>cli</c>.</param>
/// <param name="Message">One sentence: what happened, with the names and numbers of this case.</param>
/// <param name="NextStep">One sentence: what the reader does now, with the command or key where there is one.</param>
public sealed record AshlarError(string Code, string Tier, string Message, string NextStep)
{
    /// <inheritdoc />
    public override string ToString() => $"{Code} {Tier}: {Message} {NextStep}";
}

/// <summary>Carries an <see cref="AshlarError"/> within a process; it crosses no tier.</summary>
public sealed class AshlarException(AshlarError error, Exception? inner = null) : Exception(error.Message, inner)
{
    /// <summary>The error to show.</summary>
    public AshlarError Error { get; } = error;
}
