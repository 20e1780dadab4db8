using System.Collections.Frozen;
using System.Globalization;

namespace Ashlar.Monitoring;

/// <summary>What the subjects of series mean.</summary>
internal static class Subjects
{
    private static readonly FrozenSet<string> Own = new[] { "edge", "dns", "database", "cache", "queue", "dashboard", "agent", "machine" }.ToFrozenSet();

    /// <summary>Service of a subject that is an instance (<c>web.1</c>), else the subject itself with no instance.</summary>
    public static (string Service, string Instance) Split(string subject)
    {
        var dot = subject.LastIndexOf('.');
        return dot > 0 && int.TryParse(subject.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? (subject[..dot], subject)
            : (subject, "");
    }

    /// <summary>Tier of a service of which the agent says nothing.</summary>
    public static string TierOf(string service) => Own.Contains(service) ? service : "services";
}
