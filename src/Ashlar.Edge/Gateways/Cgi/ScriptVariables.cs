using System.Text;
using Ashlar.Processes;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>
/// The environment of a script: the service's own, and above it the request's variables. Only those that CGI knows are taken from a
/// request, so that whoever reaches the port cannot have a script load another library or run another shell.
/// </summary>
internal sealed class ScriptVariables
{
    private static readonly HashSet<string> _known = new(StringComparer.Ordinal)
    {
        "AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "DOCUMENT_ROOT", "GATEWAY_INTERFACE", "HTTPS", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING",
        "REDIRECT_STATUS", "REMOTE_ADDR", "REMOTE_USER", "REQUEST_METHOD", "REQUEST_SCHEME", "REQUEST_URI", "SCRIPT_FILENAME", "SCRIPT_NAME",
        "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE",
    };

    private readonly List<KeyValuePair<string, byte[]>> _own;

    /// <param name="own">Environment of the service.</param>
    public ScriptVariables(IEnumerable<KeyValuePair<string, string>> own)
    {
        HashSet<string> ours = ["PORT", "SOCKET", .. ChildEnvironment.SmallProcess.Keys];
        _own = [.. own
            .Where(variable => !ours.Contains(variable.Key) && !_known.Contains(variable.Key))
            .Select(static variable => KeyValuePair.Create(variable.Key, Encoding.UTF8.GetBytes($"{variable.Key}={variable.Value}")))];
    }

    /// <summary>The environment for a request. Null: its variables are malformed.</summary>
    /// <param name="pairs">Of the request, for <see cref="ParamsReader"/>.</param>
    /// <param name="facts">What the host itself wants to know of them.</param>
    public List<byte[]>? For(ReadOnlySpan<byte> pairs, out RequestFacts facts)
    {
        facts = default;
        var given = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        while (ParamsReader.TryRead(ref pairs, out var name, out var value))
        {
            var key = Encoding.Latin1.GetString(name);
            if (!IsTaken(key) || value.Contains((byte)0))
            {
                continue;
            }

            given[key] = [.. name, (byte)'=', .. value];
            facts = key switch
            {
                "SCRIPT_FILENAME" => facts with { File = Encoding.UTF8.GetString(value) },
                "SCRIPT_NAME" => facts with { Script = Encoding.UTF8.GetString(value) },
                "REQUEST_METHOD" => facts with { Method = Encoding.Latin1.GetString(value) },
                _ => facts,
            };
        }

        return pairs.IsEmpty ? [.. _own.Where(own => !given.ContainsKey(own.Key)).Select(static own => own.Value), .. given.Values] : null;
    }

    // HTTP_PROXY would be taken for a setting by what the script calls (httpoxy).
    private static bool IsTaken(string name) => _known.Contains(name)
        || (name.StartsWith("HTTP_", StringComparison.Ordinal) && name != "HTTP_PROXY" && name.All(static c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_'));
}

/// <summary>What the host itself wants to know of a request.</summary>
/// <param name="File">SCRIPT_FILENAME.</param>
/// <param name="Script">SCRIPT_NAME.</param>
/// <param name="Method">REQUEST_METHOD.</param>
internal readonly record struct RequestFacts(string? File, string? Script, string? Method);
