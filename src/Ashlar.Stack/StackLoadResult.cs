using System.Collections.Immutable;
using Ashlar.Errors;

namespace Ashlar.Stack;

/// <summary>What <see cref="StackLoader"/> found.</summary>
/// <param name="Stack">The stack, with every default filled in; null when there is an error among the diagnostics.</param>
/// <param name="Diagnostics">All that is to be said, by file and line; at most a hundred errors and as many others.</param>
public sealed record StackLoadResult(StackDefinition? Stack, ImmutableArray<Diagnostic> Diagnostics)
{
    /// <summary>The diagnostics that keep the stack from loading.</summary>
    public IEnumerable<Diagnostic> Errors => Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error);

    internal IReadOnlyDictionary<string, Position> Places { get; init; } = new Dictionary<string, Position>();

    /// <summary>An error that another room has found in the value of a key, where the key stands.</summary>
    /// <param name="key">The key with the path to it: <c>database.settings.work_mem</c>.</param>
    /// <param name="error">What is wrong with it.</param>
    /// <param name="file">The file to name if the place is not known.</param>
    public Diagnostic At(string key, AshlarError error, string file)
    {
        var at = Places.TryGetValue(key, out var place) ? place : Position.Whole(file);
        return new Diagnostic(at.File, at.Line, at.Column, DiagnosticSeverity.Error, error.Code, error.Message.TrimEnd('.'), error.NextStep.TrimEnd('.'));
    }

    /// <summary>The stack.</summary>
    /// <exception cref="AshlarException">ASH1000: it has errors.</exception>
    public StackDefinition Require() => Stack ?? throw new AshlarException(StackErrors.NotUsable([.. Errors]));
}
