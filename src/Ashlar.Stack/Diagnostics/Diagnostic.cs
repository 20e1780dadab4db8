namespace Ashlar.Stack;

/// <summary>One thing that is wrong, doubtful or worth knowing about a stack's files.</summary>
/// <param name="File">Path of the file as the loader opened it; the path asked for when there is no file.</param>
/// <param name="Line">Line from 1; 0 when the file as a whole is meant.</param>
/// <param name="Column">Column from 1 in UTF-16 units; 0 when the line or file as a whole is meant.</param>
/// <param name="Severity">Only an <see cref="DiagnosticSeverity.Error"/> keeps the stack from loading.</param>
/// <param name="Code"><c>ASH10xx</c>; each has a section in <c>docs/errors.md</c>.</param>
/// <param name="Message">What is wrong, with the names and numbers of this case; never the value of a variable.</param>
/// <param name="Suggestion">What to write or do instead; null if there is nothing to add.</param>
public sealed record Diagnostic(
    string File, int Line, int Column, DiagnosticSeverity Severity, string Code, string Message, string? Suggestion = null)
{
    /// <summary><c>file:line:column: error ASH1003: message; suggestion</c>, as compilers write it and editors read it.</summary>
    public override string ToString()
    {
        var place = Line == 0 ? File : Column == 0 ? $"{File}:{Line}" : $"{File}:{Line}:{Column}";
        var advice = Suggestion is null ? "" : $"; {Suggestion}";
        return $"{place}: {Severity.ToString().ToLowerInvariant()} {Code}: {Message}{advice}";
    }
}

/// <summary>How much a diagnostic matters.</summary>
public enum DiagnosticSeverity
{
    /// <summary>The stack cannot be loaded.</summary>
    Error,

    /// <summary>It loads, but something will not be as its author seems to believe.</summary>
    Warning,

    /// <summary>Something was understood and left out, or will be decided later.</summary>
    Note,
}
