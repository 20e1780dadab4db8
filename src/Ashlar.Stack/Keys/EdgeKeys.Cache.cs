namespace Ashlar.Stack;

/// <summary>The keys of <c>edge.cache</c>.</summary>
internal static class EdgeCacheKeys
{
    private static readonly EdgeCacheDefinition Defaults = new();

    /// <summary>A size alone is the memory.</summary>
    public static readonly MapShape Shape = new(
        [
            new("memory", new SizeShape(1 << 20, 1L << 44), "Memory for stored answers, everything about them included.", "256MiB"),
            new("max_object", new SizeShape(1 << 10, 1L << 40), "Largest body that is stored. Without one, a quarter of the memory."),
            new("stale_if_error", new DurationShape(TimeSpan.Zero, TimeSpan.FromDays(30)), "Time for which a stale answer is served instead of an error of the app, where the answer itself does not say.", Duration.Format(Defaults.StaleIfError)),
            new("cookies", new TextsShape("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", OrOne: true), "Cookies that make a request somebody's own. Without any, every cookie does."),
            new("purge_from", new TextsShape("^[0-9A-Fa-f.:/]+$", OrOne: true), "Addresses or networks that may send PURGE. Without any, this machine."),
            new("disk", new ReservedShape(), "Disk for stored answers."),
        ],
        Short: new SizeShape(1 << 20, 1L << 44));
}
