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

    /// <summary>The stack.</summary>
    /// <exception cref="AshlarException">ASH1000: it has errors.</exception>
    public StackDefinition Require() => Stack ?? throw new AshlarException(StackErrors.NotUsable([.. Errors]));
}
