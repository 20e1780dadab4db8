using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>A stack file proposed for a folder.</summary>
/// <param name="Kind">What was found: <c>Procfile</c>, <c>Django</c>, <c>Flask</c>, <c>Python</c>, <c>Node</c>, <c>C#</c>, <c>PHP</c>, <c>static</c>.</param>
/// <param name="Text">The text of an <c>ashlar.yaml</c> that runs, commented.</param>
/// <param name="Reasons">Why it says what it says, a sentence each.</param>
public sealed record DetectedStack(string Kind, string Text, ImmutableArray<string> Reasons);
