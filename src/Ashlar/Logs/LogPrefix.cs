using Ashlar.Output;

namespace Ashlar.Logs;

/// <summary>Says before each line who wrote it, each service in a colour of its own.</summary>
internal sealed class LogPrefix(Screen screen)
{
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
    private readonly Dictionary<string, int> _colours = [];
    private int _width = 8;

    /// <summary>Lets the column be as wide as this name from now on.</summary>
    public void Reserve(string name) => _width = Math.Max(_width, name.Length);

    /// <summary>The line with its prefix.</summary>
    public string Line(string instance, string text)
    {
        Reserve(instance);
        var head = instance.PadRight(_width) + " |";
        if (!screen.Colour) return $"{head} {text}";
        var dot = instance.LastIndexOf('.');
        var service = dot > 0 ? instance[..dot] : instance;
        if (!_colours.TryGetValue(service, out var colour)) _colours[service] = colour = Colours[_colours.Count % Colours.Length];
        // What the app has coloured must not run into the next line.
        var end = text.Contains('\e') ? "\e[0m" : "";
        return $"\e[{colour}m{head}\e[0m {text}{end}";
    }
}
