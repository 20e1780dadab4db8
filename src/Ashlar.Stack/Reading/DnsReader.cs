using System.Collections.Immutable;
using System.Net;

namespace Ashlar.Stack;

/// <summary>Reads the key <c>dns</c>. What the zones say themselves is judged by the tier.</summary>
internal static class DnsReader
{
    private const string AddressExpected = "an IP address such as 203.0.113.7";
    private const string ResolverExpected = "off, or the address of a resolver such as 192.0.2.53 or 127.0.0.1:5353";

    /// <summary>The DNS of the stack; null: it asks for none.</summary>
    public static DnsDefinition? Read(Section root, string folder, Report report)
    {
        if (root.Asked("dns") is not { } s)
        {
            return null;
        }

        var resolvers = s.Texts("resolvers") ?? [];
        foreach (var wrong in resolvers.Where(resolver => resolver.Text == DnsKeys.Off ? resolvers.Count > 1 : !IsResolver(resolver.Text)))
        {
            report.Add(StackErrors.BadValue(wrong.At, s.Full("resolvers"), wrong.Kind, ResolverExpected, null));
        }

        var listen = s.Text("listen", expected: "a port or address:port") is { } text ? ListenText.Parse(text) : DnsDefinition.DefaultListen;
        if (listen is null)
        {
            report.Add(StackErrors.BadListen(s.Place("listen"), s.Full("listen"), $"\"{s.Text("listen")}\""));
        }

        return new DnsDefinition
        {
            Listen = listen ?? DnsDefinition.DefaultListen,
            Zones = Zones(s, folder, report),
            Addresses = Addresses(s, report),
            Resolvers = [.. resolvers.Select(resolver => resolver.Text).Where(resolver => resolver != DnsKeys.Off)],
            ResolvesNothing = resolvers.Any(resolver => resolver.Text == DnsKeys.Off),
            Rate = s.Integer("rate") ?? DnsDefinition.DefaultRate,
        };
    }

    private static ImmutableArray<DnsZoneDefinition> Zones(Section s, string folder, Report report)
    {
        var shape = (MapShape)((NamedShape)DnsKeys.Dns.Find("zones")!.Shape).Value;
        var zones = ImmutableArray.CreateBuilder<DnsZoneDefinition>();
        foreach (var (name, value) in s.Named("zones") ?? [])
        {
            var path = s.Full($"zones.{name.Text}");
            if (ZoneName.Fit(name.Text) is not { } fit)
            {
                report.Add(StackErrors.BadValue(name.At, s.Full("zones"), name.Kind, "names of zones such as storefront.test", null));
            }
            else if (zones.Any(zone => zone.Name == fit))
            {
                report.Add(StackErrors.DuplicateKey(name.At, name.Text, name.At.Line));
            }
            else if (value is not MapNode and not ScalarNode { IsNull: true })
            {
                report.Add(StackErrors.WrongType(value.At, path, "a map such as {file: storefront.zone}", value.Kind));
            }
            else
            {
                zones.Add(Zone(fit, new Section(value as MapNode ?? new MapNode(value.At, [], 1), shape, path, report), folder, report));
            }
        }

        return zones.ToImmutable();
    }

    private static DnsZoneDefinition Zone(string name, Section s, string folder, Report report)
    {
        var file = s.Text("file", expected: "a file of the stack's folder");
        if (file is not null)
        {
            var path = Path.GetFullPath(file, folder);
            if (Path.IsPathRooted(file) || !path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                report.Add(StackErrors.BadValue(s.Place("file"), s.Full("file"), $"\"{file}\"", "a file in the stack's folder, relative to it", null));
            }
            else if (!File.Exists(path))
            {
                report.Add(StackErrors.BadValue(s.Place("file"), s.Full("file"), $"\"{file}\"", "a file that is there", null));
            }
        }

        var records = s.Texts("records") ?? [];
        for (var i = 0; i < records.Count; i++)
        {
            report.Places[$"{s.Full("records")}[{i}]"] = records[i].At;
        }

        return new DnsZoneDefinition
        {
            Name = name,
            File = file,
            Records = [.. records.Select(record => record.Text)],
            TimeToLive = s.Time("ttl") is { } time ? (int)time.TotalSeconds : null,
        };
    }

    private static ImmutableSortedDictionary<string, ImmutableArray<string>> Addresses(Section s, Report report)
    {
        var addresses = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        switch (s.Node("addresses"))
        {
            case MapNode map:
                foreach (var (name, value) in map.Entries)
                {
                    addresses[name.Text] = Read(value, s.Full($"addresses.{name.Text}"));
                }

                break;
            case { } all:
                addresses[""] = Read(all, s.Full("addresses"));
                break;
        }

        return addresses.ToImmutable();

        ImmutableArray<string> Read(Node node, string key)
        {
            var texts = node is ListNode list ? list.Items : [node];
            foreach (var wrong in texts.Where(text => text is not ScalarNode { IsNull: false } scalar || !IsAddress(scalar.Text)))
            {
                report.Add(StackErrors.BadValue(wrong.At, key, wrong.Kind, AddressExpected, null));
            }

            return [.. texts.OfType<ScalarNode>().Where(text => IsAddress(text.Text)).Select(text => IPAddress.Parse(text.Text).ToString()).Distinct()];
        }
    }

    private static bool IsAddress(string text) => IPAddress.TryParse(text, out _) && (text.Contains(':') || text.Count(c => c == '.') == 3);

    private static bool IsResolver(string text) => IsAddress(text) || (IPEndPoint.TryParse(text, out var point) && point.Port != 0 && text.Contains('.'))
        || (text.StartsWith('[') && IPEndPoint.TryParse(text, out var six) && six.Port != 0);
}
