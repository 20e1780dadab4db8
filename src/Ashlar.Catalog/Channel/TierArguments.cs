using System.Globalization;

namespace Ashlar.Catalog.Channel;

/// <summary>What follows the name of a tier's process: <c>--NAME VALUE …</c>, written by its plan and not by people.</summary>
public sealed class TierArguments
{
    private const double MostSeconds = 86_400;
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly Func<string, Exception> _error;

    /// <summary>Reads them.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="known">The names that there are, with their hyphens.</param>
    /// <param name="error">The tier's error for arguments that it does not understand, from what is wrong.</param>
    /// <exception cref="Exception">What <paramref name="error"/> makes: a name without a value, or one that is not known.</exception>
    public TierArguments(IReadOnlyList<string> arguments, IReadOnlyCollection<string> known, Func<string, Exception> error)
    {
        _error = error;
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var name = arguments[i];
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw error($"{name} has no value");
            _values[name] = known.Contains(name) ? value : throw error($"{name} {value} is not understood");
        }
    }

    /// <summary>The value of a name; null: it was not given.</summary>
    public string? Find(string name) => _values.GetValueOrDefault(name);

    /// <summary>The value of a name that must be given.</summary>
    /// <exception cref="Exception">It was not.</exception>
    public string Get(string name) => Find(name) ?? throw _error($"{name} is missing");

    /// <summary>A time in seconds, at most a day.</summary>
    /// <exception cref="Exception">It is no such time.</exception>
    public TimeSpan Seconds(string name, TimeSpan otherwise) => Find(name) is not { } value ? otherwise
        : double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= MostSeconds
            ? TimeSpan.FromSeconds(seconds) : throw NotUnderstood(name);

    /// <summary>The error for a value that its name cannot have.</summary>
    public Exception NotUnderstood(string name) => _error($"{name} {Find(name)} is not understood");
}
