using System.Collections.Immutable;

namespace Ashlar.Tracing;

/// <summary>One step of a request through the stack.</summary>
/// <param name="Step">The word for it: <c>name</c>, <c>port</c>, <c>tls</c>, <c>edge</c>, <c>route</c>, <c>cache</c>, <c>queue</c>, <c>connection</c>, <c>instance</c>, <c>statement</c>, <c>job</c>, <c>answer</c>.</param>
/// <param name="At">When it began, in milliseconds since the trace did.</param>
/// <param name="Took">Milliseconds; null: it is no span of time.</param>
/// <param name="Text">What happened, for people.</param>
/// <param name="Depth">0: seen from outside; 1: in the edge; 2: behind it.</param>
internal sealed record TraceStep(string Step, double At, double? Took, string Text, int Depth = 0);

/// <summary>A request as it was seen whole; what <c>trace --json</c> writes.</summary>
/// <param name="Trace">The id that it carried.</param>
/// <param name="Url">Where it went.</param>
/// <param name="Method">Its method.</param>
/// <param name="Status">Status of its answer; null: none came.</param>
/// <param name="Took">Milliseconds, all of it.</param>
/// <param name="Bytes">Bytes of the answer's body.</param>
/// <param name="Steps">The steps in their order.</param>
/// <param name="Notes">What could not be seen, and what would make it visible.</param>
internal sealed record TraceReport(
    string Trace, string Url, string Method, int? Status, double Took, long Bytes, ImmutableArray<TraceStep> Steps, ImmutableArray<string> Notes);
