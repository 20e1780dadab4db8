using System.Collections.Immutable;
using System.Security.Cryptography;
using Ashlar.Errors;
using Ashlar.Stack;

namespace Ashlar.Delivery.Releases;

/// <summary>The rules of config vars: which names and values there may be, which must be there, and which are made up.</summary>
internal static class ConfigVars
{
    private const int GeneratedBytes = 32;
    private const int LongestValue = 32 << 10;

    // What Ashlar gives to each instance itself.
    private static readonly string[] Given = ["PORT", "ASHLAR_INSTANCE", "ASHLAR_RELEASE", "ASHLAR_SERVICE"];

    /// <summary>With those that the stack wants made up and that are not there yet.</summary>
    public static ImmutableSortedDictionary<string, string> WithGenerated(
        StackDefinition stack, ImmutableSortedDictionary<string, string> configVars) =>
        stack.GeneratedVariables.Aggregate(
            configVars,
            (variables, name) => variables.ContainsKey(name)
                ? variables
                : variables.Add(name, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(GeneratedBytes))));

    /// <summary>Refuses to go on without one that the stack requires.</summary>
    /// <exception cref="AshlarException">ASH5003.</exception>
    public static void CheckRequired(StackDefinition stack, ImmutableSortedDictionary<string, string> configVars)
    {
        var missing = stack.RequiredVariables.Where(name => !configVars.ContainsKey(name)).ToArray();
        if (missing.Length > 0)
        {
            throw DeliveryErrors.VariablesMissing(missing);
        }
    }

    /// <summary>Refuses what no process could have in its environment.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value; null: it is unset.</param>
    /// <exception cref="AshlarException">ASH5008.</exception>
    public static void Check(string name, string? value)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => c == '_' || char.IsAsciiLetterOrDigit(c)))
        {
            throw DeliveryErrors.BadVariable(name, "that is no name of a variable");
        }

        if (value is not null && (value.Contains('\0') || value.Length > LongestValue))
        {
            throw DeliveryErrors.BadVariable(name, $"its value holds a NUL or more than {LongestValue} characters");
        }
    }

    /// <summary>The variables with some changed; null unsets.</summary>
    /// <exception cref="AshlarException">ASH5009, ASH5010.</exception>
    public static ImmutableSortedDictionary<string, string> Change(
        ImmutableSortedDictionary<string, string> variables, ImmutableSortedDictionary<string, string?> changes) =>
        changes.Aggregate(variables, (changed, change) =>
        {
            Check(change.Key, change.Value);

            // What would be overridden at every start must not look as if it were set.
            if (change.Value is not null && Given.Contains(change.Key))
            {
                throw DeliveryErrors.VariableGiven(change.Key);
            }

            return change.Value is null ? changed.Remove(change.Key) : changed.SetItem(change.Key, change.Value);
        });

    /// <summary>What is changed, by name only: <c>set A, B; unset C</c>.</summary>
    public static string Describe(ImmutableSortedDictionary<string, string?> changes)
    {
        var set = changes.Where(change => change.Value is not null).Select(change => change.Key).ToArray();
        var unset = changes.Where(change => change.Value is null).Select(change => change.Key).ToArray();
        string[] parts = [.. set.Length > 0 ? [$"set {string.Join(", ", set)}"] : (string[])[], .. unset.Length > 0 ? [$"unset {string.Join(", ", unset)}"] : (string[])[]];
        return string.Join("; ", parts);
    }

    /// <summary>True: the same names with the same values.</summary>
    public static bool Same(ImmutableSortedDictionary<string, string> a, ImmutableSortedDictionary<string, string> b) =>
        a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out var value) && value == pair.Value);
}
