using System.Text;
using Ashlar.Http.Wire;
using Ashlar.Stack;

namespace Ashlar.Edge.Web;

/// <summary>A rule of the stack file, ready to be used.</summary>
internal sealed class WebRule
{
    private readonly byte[]? _host;
    private readonly PathPattern[] _paths;
    private readonly PathPattern? _match;

    /// <param name="rule">As the file has it.</param>
    /// <param name="rate">Buckets of the same rule before this snapshot; null: new ones.</param>
    public WebRule(RuleDefinition rule, RateTable? rate)
    {
        Definition = rule;
        _host = rule.Host is null ? null : Encoding.ASCII.GetBytes(rule.Host);
        _paths = [.. rule.Paths.Select(PathPattern.Of)];
        _match = rule.Match is null ? null : PathPattern.OfExpression(rule.Match);
        Deny = rule.Deny.IsEmpty ? null : new AddressList(rule.Deny);
        Allow = rule.Allow.IsEmpty ? null : new AddressList(rule.Allow);
        Edits = rule.Headers.IsEmpty ? null : new HeaderEdits(rule.Headers);
        RateField = rule.Rate?.By is { } by ? Encoding.ASCII.GetBytes(by) : null;
        Rate = rule.Rate is { } limit ? rate ?? new RateTable(limit.Requests, limit.Per, limit.Burst > 0 ? limit.Burst : limit.Requests) : null;
    }

    public RuleDefinition Definition { get; }

    public AddressList? Deny { get; }

    public AddressList? Allow { get; }

    public HeaderEdits? Edits { get; }

    public RateTable? Rate { get; }

    public byte[]? RateField { get; }

    /// <summary>Whether a request is meant, and by which of the patterns.</summary>
    public bool Covers(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<char> text, out PathPattern? pattern)
    {
        pattern = _match;
        if ((_host is not null && !Ascii.EqualsIgnoreCase(host, _host)) || _match?.Covers(path, text) == false)
        {
            return false;
        }

        foreach (var one in _paths)
        {
            if (one.Covers(path, text))
            {
                pattern ??= one;
                return true;
            }
        }

        return _paths.Length == 0;
    }
}

/// <summary>A folder at a path.</summary>
/// <param name="Host">Lower-case host; null: any.</param>
/// <param name="Prefix">Path without a slash behind it.</param>
/// <param name="Folder">The folder.</param>
internal sealed record StaticMount(byte[]? Host, byte[] Prefix, StaticFolder Folder)
{
    public bool Covers(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path) =>
        (Host is null || Ascii.EqualsIgnoreCase(host, Host))
        && path.StartsWith(Prefix) && (path.Length == Prefix.Length || Prefix.Length == 0 || path[Prefix.Length] == '/');
}
