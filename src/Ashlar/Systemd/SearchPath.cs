using Ashlar.Agent.Hosting;

namespace Ashlar.Systemd;

/// <summary>The PATH of the unit: systemd's own lacks where people install what their builds and services need.</summary>
internal static class SearchPath
{
    /// <summary>The folders of a PATH that are worth writing down; null: none.</summary>
    /// <param name="path">PATH of whoever installs the unit.</param>
    /// <param name="ofSystem">
    /// True: the unit is root's, so only folders that belong to root and that not everybody may write: what lies in another's folder, that one
    /// could exchange, and root would run it.
    /// </param>
    /// <param name="ownerOf">User id of a folder's owner.</param>
    public static string? Of(string? path, bool ofSystem, Func<string, uint?>? ownerOf = null)
    {
        var folders = (path ?? "").Split(':')
            .Where(folder => folder.StartsWith('/') && !folder.Any(char.IsControl) && Directory.Exists(folder))
            .Where(folder => !ofSystem || ((ownerOf ?? Ownership.OwnerOf)(folder) == 0 && !File.GetUnixFileMode(folder).HasFlag(UnixFileMode.OtherWrite)))
            .Distinct(StringComparer.Ordinal).ToArray();
        return folders.Length == 0 ? null : string.Join(':', folders);
    }
}
