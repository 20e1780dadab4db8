using System.Runtime.InteropServices;

namespace Ashlar.Edge.Gateways;

/// <summary>The script that answers a request, in the words of CGI (RFC 3875 section 4.1).</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly ref struct Script
{
    /// <summary>SCRIPT_NAME: the part of the path that names the script.</summary>
    public required ReadOnlySpan<byte> Name { get; init; }

    /// <summary>SCRIPT_FILENAME: its file.</summary>
    public required ReadOnlySpan<byte> File { get; init; }

    /// <summary>PATH_INFO: the part of the path behind it.</summary>
    public required ReadOnlySpan<byte> PathInfo { get; init; }

    /// <summary>DOCUMENT_ROOT.</summary>
    public required ReadOnlySpan<byte> Root { get; init; }
}
