using System.Globalization;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Store;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines;

/// <summary>Backup and restore of the state of a stack on one machine: a file of SQLite.</summary>
public static class StateFile
{
    private static readonly string DamagedCode = EtcdErrors.BackupDamaged("", "").Error.Code;
    private const string Log = "-wal";
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a backup of an open store, whole or not at all, and opens it to see that it is one.</summary>
    /// <exception cref="AshlarException">ASH7133.</exception>
    internal static async Task<StateBackupResult> BackupAsync(SqliteStore store, string path, CancellationToken cancellation)
    {
        var temporary = $"{path}.new";
        try
        {
            File.Delete(temporary);
            new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Mine }).Dispose();
            var revision = await store.CopyToAsync(temporary, cancellation);
            await SqliteStore.Open(temporary).DisposeAsync();
            File.Move(temporary, path, overwrite: true);
            return new StateBackupResult(path, new FileInfo(path).Length, revision);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or AshlarException)
        {
            throw EtcdErrors.BackupFailed(path, e.Message.TrimEnd('.'), e);
        }
        finally
        {
            Remove(temporary);
        }
    }

    /// <summary>Puts a backup in the place of the state of a stack that is down; what was there is kept under another name.</summary>
    /// <param name="stackFolder">Folder that holds the stack file.</param>
    /// <param name="path">The backup.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Where that is kept which was there; null: there was nothing. The second value is false if an agent or another command has the stack.</returns>
    /// <exception cref="AshlarException">ASH4004; ASH7132, ASH7134, ASH7139.</exception>
    public static async Task<(string? Kept, bool Done)> RestoreAsync(string stackFolder, string path, TimeProvider time)
    {
        var state = StateFolder.Of(stackFolder);
        if (MachineFile.Load(state.MachineFile) is not null)
        {
            throw EtcdErrors.RestoreNotNow("the stack stands on several machines, and the agent of this one, which would hold the state, does not run", "Start it (ashlar up, or its service), then repeat it");
        }

        state.CreateForStore();
        if (AgentLock.TryTake(state.LockFile) is not { } taken)
        {
            return (null, false);
        }

        using (taken)
        {
            var next = $"{state.Store}.restoring";
            try
            {
                if (!await IsStateAsync(path))
                {
                    throw EtcdErrors.BackupDamaged(path, "it is no copy of a stack's state.db");
                }

                Remove(next);
                File.Copy(path, next);
                File.SetUnixFileMode(next, Mine);
                await SqliteStore.Open(next).DisposeAsync();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException || (e is AshlarException known && known.Error.Code != DamagedCode))
            {
                Remove(next);
                throw EtcdErrors.BackupDamaged(path, e.Message.TrimEnd('.'), e);
            }

            var kept = string.Create(CultureInfo.InvariantCulture, $"{state.Store}.left-{time.GetUtcNow():yyyyMMddHHmmss}");
            try
            {
                // With its log, which holds what is not in the file itself yet.
                if (File.Exists(state.Store))
                {
                    File.Move(state.Store, kept);
                }

                if (File.Exists(state.Store + Log))
                {
                    File.Move(state.Store + Log, kept + Log);
                }

                File.Move(next, state.Store);
                return (File.Exists(kept) ? kept : null, true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw EtcdErrors.RestoreFailed(path, e.Message.TrimEnd('.'));
            }
        }
    }

    // What is empty would be opened as a new and empty store. The mark is SQLite's application_id, at byte 68 of its header.
    private static async Task<bool> IsStateAsync(string path)
    {
        const int at = 68;
        var header = new byte[at + sizeof(int)];
        await using var file = File.OpenRead(path);
        return await file.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false) == header.Length && header.AsSpan(at).SequenceEqual("ASHL"u8);
    }

    private static void Remove(string path)
    {
        foreach (var part in new[] { "", Log, "-shm", "-journal" })
        {
            try
            {
                File.Delete(path + part);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next one replaces it.
            }
        }
    }
}
