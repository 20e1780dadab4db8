using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Engines.Preparing;

/// <summary>The folder of an instance's data, which the agent has made and this process' user must own.</summary>
internal static class DataFolder
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode MyFolder = Mine | UnixFileMode.UserExecute;

    /// <summary>Refuses a folder that this user does not own or cannot write to; nothing in it is changed.</summary>
    /// <exception cref="AshlarException">ASH7105.</exception>
    public static void Check(EngineOrder order)
    {
        var me = SystemUsers.Current.Name;
        try
        {
            Directory.CreateDirectory(order.Folder, MyFolder);
            // Only its owner may set a mode, and nobody else is to read what lies there.
            File.SetUnixFileMode(order.Folder, MyFolder);
            foreach (var path in Directory.EnumerateFileSystemEntries(order.Folder, "*", SearchOption.AllDirectories))
            {
                if (!MayWrite(path) && Path.GetFileName(path) != HeldData.StartEmpty)
                {
                    throw Foreign(order, path, me, "it may not write to it");
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw e is UnauthorizedAccessException ? Foreign(order, order.Folder, me, "that is another's") : Unusable(order, e);
        }
    }

    /// <summary>Refuses a folder without data whose instance has held some, unless a person has said that it may begin empty.</summary>
    /// <param name="order">What is to be started.</param>
    /// <param name="hasData">True: there is data.</param>
    /// <exception cref="AshlarException">ASH7118.</exception>
    public static void RequireHeld(EngineOrder order, bool hasData)
    {
        var word = Path.Combine(order.Folder, HeldData.StartEmpty);
        if (!hasData && order.HeldSince is { } since && !File.Exists(word))
        {
            throw EngineErrors.DataMissing(order.Tier, order.Instance, order.Folder, since);
        }

        File.Delete(word); // It holds once, whatever comes of this start.
    }

    /// <summary>Writes a file that only this user may read, whole or not at all.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="AshlarException">ASH7105.</exception>
    public static string Write(EngineOrder order, string name, string text)
    {
        var path = Path.Combine(order.Folder, name);
        var temporary = $"{path}.new";
        try
        {
            File.Delete(temporary);
            using (var stream = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = Mine,
            }))
            {
                stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
            }

            File.Move(temporary, path, overwrite: true);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(order, e);
        }
    }

    private static bool MayWrite(string path) => File.ResolveLinkTarget(path, returnFinalTarget: false) is not null || UserAccess.CanWrite(path);

    private static AshlarException Foreign(EngineOrder order, string path, string me, string what) => EngineErrors.FolderUnusable(
        order.Tier, order.Folder, $"{order.Instance} runs as {me}, and {(path == order.Folder ? what : $"{path} is another's")}",
        $"Give it to that user: chown -R {me} {order.Folder}. Or run ashlar as the user who has run this stack before.");

    private static AshlarException Unusable(EngineOrder order, Exception e) => EngineErrors.FolderUnusable(
        order.Tier, order.Folder, e.Message.TrimEnd('.'), "Check its mode and the free space of its disk.");
}
