using System.Collections.Immutable;
using System.Net;

namespace Ashlar.Stack;

/// <summary>Reads <c>edge.cache</c>.</summary>
internal static class EdgeCacheReader
{
    /// <summary>The cache of the edge; null: none is asked for.</summary>
    public static EdgeCacheDefinition? Read(Section edge, Report report)
    {
        if (edge.Node("cache") is ScalarNode)
        {
            return edge.ShortBytes("cache") is { } bytes ? new EdgeCacheDefinition { Memory = bytes } : new EdgeCacheDefinition();
        }

        if (edge.Asked("cache") is not { } s)
        {
            return null;
        }

        var defaults = new EdgeCacheDefinition();
        return new EdgeCacheDefinition
        {
            Memory = s.Bytes("memory") ?? defaults.Memory,
            MaxObject = s.Bytes("max_object"),
            StaleIfError = s.Time("stale_if_error") ?? defaults.StaleIfError,
            Cookies = [.. (s.Texts("cookies") ?? []).Select(node => node.Text)],
            PurgeFrom = Networks(s, report),
        };
    }

    private static ImmutableArray<string> Networks(Section s, Report report)
    {
        var networks = ImmutableArray.CreateBuilder<string>();
        foreach (var node in s.Texts("purge_from") ?? [])
        {
            if (IPAddress.TryParse(node.Text, out _) || IPNetwork.TryParse(node.Text, out _))
            {
                networks.Add(node.Text);
            }
            else
            {
                report.Add(StackErrors.BadValue(node.At, s.Full("purge_from"), node.Kind, "an address such as 10.0.0.7 or a network such as 10.0.0.0/8", null));
            }
        }

        return networks.ToImmutable();
    }
}
