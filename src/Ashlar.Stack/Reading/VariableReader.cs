using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>Reads maps of variables and says which names cannot be or will not count. Values are never repeated.</summary>
internal static class VariableReader
{
    public static ImmutableSortedDictionary<string, string> Read(
        IReadOnlyList<KeyValuePair<ScalarNode, Node>>? entries, string path, Report report)
    {
        var variables = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in entries ?? [])
        {
            if (!Check(name.Text, name.At, report))
            {
                continue;
            }

            if (value is ScalarNode scalar)
            {
                variables[name.Text] = scalar.IsNull ? "" : scalar.Text;
            }
            else
            {
                report.Add(StackErrors.WrongType(value.At, $"{path}.{name.Text}", "text", value.Kind));
            }
        }

        return variables.ToImmutable();
    }

    /// <summary>False when no variable can have the name.</summary>
    public static bool Check(string name, Position at, Report report)
    {
        if (!Names.IsVariable(name))
        {
            report.Add(StackErrors.BadVariable(at));
            return false;
        }

        if (name == "PORT" || name.StartsWith("ASHLAR_", StringComparison.Ordinal))
        {
            report.Add(StackErrors.VariableOverruled(at, name));
        }

        return true;
    }
}
