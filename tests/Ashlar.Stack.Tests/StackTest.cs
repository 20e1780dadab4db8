using Ashlar.Testing;

namespace Ashlar.Stack.Tests;

/// <summary>A folder to load stacks from, with the questions tests ask of the result.</summary>
public abstract class StackTest : IDisposable
{
    protected TempFolder Folder { get; } = new("ashlar-stack-");

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Loads the folder with this stack file in it.</summary>
    protected StackLoadResult Yaml(string yaml)
    {
        Folder.Write("ashlar.yaml", yaml);
        return StackLoader.Load(Folder.Path);
    }

    /// <summary>The stack of a file in which nothing is wrong.</summary>
    protected StackDefinition Valid(string yaml) => WithoutDiagnostics(Yaml(yaml));

    /// <summary>The first service, with these lines (indented as they stand) under its name.</summary>
    protected ServiceDefinition Service(string keys) =>
        Valid($"services:\n  web:\n    run: x\n{Indent(keys)}").Services[0];

    /// <summary>The one error of a service with these lines.</summary>
    protected Diagnostic ServiceError(string keys) => OneError(Yaml($"services:\n  web:\n    run: x\n{Indent(keys)}"));

    protected static StackDefinition WithoutDiagnostics(StackLoadResult result)
    {
        Assert.Empty(result.Diagnostics.Select(d => d.ToString()));
        return result.Stack!;
    }

    protected static Diagnostic OneError(StackLoadResult result)
    {
        Assert.Null(result.Stack);
        return Assert.Single(result.Diagnostics);
    }

    /// <summary><c>line:column code</c>.</summary>
    protected static string Place(Diagnostic d) => $"{d.Line}:{d.Column} {d.Code}";

    private static string Indent(string keys) =>
        string.Join('\n', keys.Split('\n').Select(l => "    " + l)) + "\n";
}
