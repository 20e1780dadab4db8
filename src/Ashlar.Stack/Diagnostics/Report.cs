namespace Ashlar.Stack;

/// <summary>Collects the diagnostics of one load, so that all mistakes are said at once.</summary>
internal sealed class Report
{
    /// <summary>More than this help nobody, and a hostile file could hold a million of them.</summary>
    public const int Limit = 100;

    private readonly List<Diagnostic> _diagnostics = [];
    private readonly HashSet<Diagnostic> _seen = [];

    public bool HasErrors { get; private set; }

    public void Add(Diagnostic diagnostic)
    {
        HasErrors |= diagnostic.Severity == DiagnosticSeverity.Error;

        // A node that several aliases share is read several times; its mistake is one.
        if (_diagnostics.Count < Limit && _seen.Add(diagnostic))
        {
            _diagnostics.Add(diagnostic);
        }
    }

    /// <summary>By file in the order they were read, then by place.</summary>
    public IEnumerable<Diagnostic> InOrder()
    {
        var files = _diagnostics.Select(d => d.File).Distinct().ToList();
        return _diagnostics.OrderBy(d => files.IndexOf(d.File)).ThenBy(d => d.Line).ThenBy(d => d.Column);
    }
}
