using System.Collections.Immutable;
using System.Globalization;

namespace Ashlar.Stack;

/// <summary>
/// Five fields as crontab(5) has them: minute, hour, day of the month, month, day of the week. Lists, ranges, steps, names of months and days, and
/// the words <c>@hourly</c>, <c>@daily</c>, <c>@weekly</c>, <c>@monthly</c>, <c>@yearly</c>. Where both days are restricted, either is enough.
/// </summary>
public sealed record CronExpression
{
    private const int LongestText = 200;
    private static readonly string[] MonthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] DayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    private static readonly int[] LongestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

    private static readonly ImmutableSortedDictionary<string, string> Words = new Dictionary<string, string>
    {
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
        ["@monthly"] = "0 0 1 * *",
        ["@weekly"] = "0 0 * * 0",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@hourly"] = "0 * * * *",
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);

    private readonly bool[] _months;
    private readonly bool[] _days;
    private readonly bool[] _weekdays;
    private readonly bool _eitherDay;

    private CronExpression(string text, string[] fields, bool[][] sets)
    {
        Text = text;
        (Minutes, Hours, _days, _months, _weekdays) = (Numbers(sets[0]), Numbers(sets[1]), sets[2], sets[3], sets[4]);
        _eitherDay = fields[2][0] != '*' && fields[4][0] != '*';
        EveryHour = Hours.Length == 24;
        IsInterval = fields[0].AsSpan().IndexOfAny('*', '/') >= 0 || fields[1].AsSpan().IndexOfAny('*', '/') >= 0;
    }

    /// <summary>As written.</summary>
    public string Text { get; }

    /// <summary>Minutes, ascending.</summary>
    public ImmutableArray<int> Minutes { get; }

    /// <summary>Hours, ascending.</summary>
    public ImmutableArray<int> Hours { get; }

    /// <summary>True: every hour is one of its hours.</summary>
    public bool EveryHour { get; }

    /// <summary>True: minute or hour are given by <c>*</c> or a step, so it means an interval and not a time of day.</summary>
    public bool IsInterval { get; }

    /// <summary>True: it fires on that date.</summary>
    public bool MatchesDay(DateTime date)
    {
        var (day, weekday) = (_days[date.Day], _weekdays[(int)date.DayOfWeek]);
        return _months[date.Month] && (_eitherDay ? day || weekday : day && weekday);
    }

    /// <summary>Reads one that is known to be right.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static CronExpression Parse(string text) => TryParse(text, out var expression, out var problem) ? expression! : throw new FormatException(problem);

    /// <summary>Reads one.</summary>
    /// <param name="text">As written.</param>
    /// <param name="expression">What it says; null: it cannot be read.</param>
    /// <param name="problem">What is wrong with it, for people.</param>
    public static bool TryParse(string text, out CronExpression? expression, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        expression = null;
        if (text.Length > LongestText)
        {
            problem = $"it is longer than {LongestText} characters";
            return false;
        }

        var written = text.Trim();
        var fields = (written.StartsWith('@') ? Words.GetValueOrDefault(written.ToLowerInvariant(), "") : written).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5)
        {
            problem = written.StartsWith('@') ? $"known words are {string.Join(", ", Words.Keys)}"
                : $"it has {fields.Length} fields, and five are meant: minute, hour, day of the month, month, day of the week";
            return false;
        }

        var sets = new bool[5][];
        (string Name, int Min, int Max, string[]? Names, int First)[] kinds =
        [
            ("minute", 0, 59, null, 0), ("hour", 0, 23, null, 0), ("day of the month", 1, 31, null, 0), ("month", 1, 12, MonthNames, 1), ("day of the week", 0, 7, DayNames, 0),
        ];
        for (var i = 0; i < 5; i++)
        {
            var (name, min, max, names, first) = kinds[i];
            sets[i] = new bool[max + 1];
            if (FieldProblem(fields[i].ToLowerInvariant(), min, max, names, first, sets[i]) is { } wrong)
            {
                problem = $"the {name} \"{fields[i]}\" {wrong}";
                return false;
            }
        }

        sets[4][0] |= sets[4][7];
        var read = new CronExpression(written, fields, sets);
        if (!read.IsPossible())
        {
            problem = "no year has such a day";
            return false;
        }

        (expression, problem) = (read, null);
        return true;
    }

    // With a restricted day of the week either is enough, so there always is one.
    private bool IsPossible() => _eitherDay || Enumerable.Range(1, 12).Any(month => _months[month] && Enumerable.Range(1, LongestMonths[month - 1]).Any(day => _days[day]));

    private static string? FieldProblem(string field, int min, int max, string[]? names, int first, bool[] set)
    {
        foreach (var item in field.Split(','))
        {
            var parts = item.Split('/');
            var step = 1;
            if (parts.Length > 2 || (parts.Length == 2 && (!Digits(parts[1], out step) || step == 0 || step > max)))
            {
                return $"has a step that is not from 1 to {max}";
            }

            var bounds = parts[0].Split('-');
            int from = min, to = min == 0 && max == 7 ? 6 : max;
            if (parts[0] != "*")
            {
                if (bounds.Length > 2 || !Number(bounds[0], names, first, out from) || (bounds.Length == 2 && !Number(bounds[1], names, first, out to)))
                {
                    return $"is not *, a number from {min} to {max}, a range or a list{(names is null ? "" : $", or a name such as {names[1]}")}";
                }

                // "5/15" is from the fifth on, as most crons have it.
                to = bounds.Length == 2 ? to : parts.Length == 2 ? to : from;
                // "fri-sun": Sunday may end a week.
                to = names == DayNames && to == 0 && from > 0 && bounds.Length == 2 ? 7 : to;
            }

            if (from < min || to > max || from > to)
            {
                return from > to ? "has a range that ends before it begins" : $"is not within {min} to {max}";
            }

            for (var value = from; value <= to; value += step)
            {
                set[value] = true;
            }
        }

        return null;
    }

    private static bool Number(string text, string[]? names, int first, out int number)
    {
        var index = names is null ? -1 : Array.IndexOf(names, text);
        number = index + first;
        return index >= 0 || Digits(text, out number);
    }

    private static bool Digits(string text, out int number)
    {
        number = 0;
        return text.Length is > 0 and <= 4 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static ImmutableArray<int> Numbers(bool[] set) => [.. Enumerable.Range(0, set.Length).Where(i => set[i])];
}
