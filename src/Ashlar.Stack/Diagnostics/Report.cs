namespace Ashlar.Stack;

/// <summary>Collects the diagnostics of one load, so that all mistakes are said at once.</summary>
internal sealed class Report
{
    /// <summary>More errors, or more warnings and notes, help nobody; a hostile file could hold a million of them.</summary>
    public const int Limit = 100;

    private readonly List<Diagnostic> _diagnostics = [];
    private readonly HashSet<Diagnostic> _seen = [];
    private int _errors;

    /// <summary>Where keys stand that only those who know their tier can judge: <c>database.settings.work_mem</c>.</summary>
    public Dictionary<string, Position> Places { get; } = new(StringComparer.Ordinal);

    public bool HasErrors => _errors > 0;

    /// <summary>Further errors will not be said: the work of finding them can be spared.</summary>
    public bool IsFull => _errors >= Limit;

    public void Add(Diagnostic diagnostic)
    {
        var isError = diagnostic.Severity == DiagnosticSeverity.Error;
        var same = isError ? _errors : _diagnostics.Count - _errors;

        // A node that several aliases share is read several times; its mistake is one.
        if (same < Limit && _seen.Add(diagnostic))
        {
            _diagnostics.Add(diagnostic);
            _errors += isError ? 1 : 0;
        }
    }

    /// <summary>By file in the order they were read, then by place.</summary>
    public IEnumerable<Diagnostic> InOrder()
    {
        var files = _diagnostics.Select(d => d.File).Distinct().ToList();
        return _diagnostics.OrderBy(d => files.IndexOf(d.File)).ThenBy(d => d.Line).ThenBy(d => d.Column);
    }
}
