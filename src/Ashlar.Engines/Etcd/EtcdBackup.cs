using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Catalog.Etcd;
using Ashlar.Engines.Preparing;
using Ashlar.Errors;

namespace Ashlar.Engines.Etcd;

/// <summary>
/// Backups of the stack's state: etcd's database as one member streams it, followed by its SHA-256, as <c>etcdctl snapshot save</c> writes them.
/// They hold every config var, so their mode is 0600.
/// </summary>
public static class EtcdBackup
{
    private const int HashLength = 32;
    private const int PageLength = 512;

    /// <summary>Writes one, whole or not at all; it holds all that was acknowledged before this began.</summary>
    /// <param name="options">The cluster. Any member will do.</param>
    /// <param name="path">The file; one of this name is replaced.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="AshlarException">ASH4070 to ASH4080 of etcd; ASH7132, ASH7133.</exception>
    public static async Task<EtcdBackupReport> SaveAsync(EtcdOptions options, string path, CancellationToken cancellation = default)
    {
        AshlarException? last = null;
        foreach (var endpoint in options.Endpoints)
        {
            try
            {
                return await SaveAsync(options with { Endpoints = [endpoint] }, endpoint, path, cancellation);
            }
            catch (AshlarException e) when (e.Error.Code != "ASH7133")
            {
                last = e;
            }
        }

        throw last!;
    }

    /// <summary>Checks that a backup is whole.</summary>
    /// <exception cref="AshlarException">ASH7132.</exception>
    public static async Task<EtcdBackupReport> VerifyAsync(string path, CancellationToken cancellation = default)
    {
        try
        {
            var stream = File.OpenRead(path);
            await using var closing = stream;
            if (stream.Length <= HashLength || (stream.Length - HashLength) % PageLength != 0)
            {
                throw EtcdErrors.BackupDamaged(path, "it is no backup of etcd, or was cut");
            }

            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[1 << 20];
            for (var left = stream.Length - HashLength; left > 0;)
            {
                var count = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellation);
                if (count == 0)
                {
                    throw EtcdErrors.BackupDamaged(path, "it was cut while it was read");
                }

                hash.AppendData(buffer, 0, count);
                left -= count;
            }

            var told = new byte[HashLength];
            await stream.ReadExactlyAsync(told, cancellation);
            var found = hash.GetHashAndReset();
            return found.AsSpan().SequenceEqual(told)
                ? new EtcdBackupReport(path, stream.Length, Convert.ToHexStringLower(found), 0)
                : throw EtcdErrors.BackupDamaged(path, "its SHA-256 is another than it says");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw EtcdErrors.BackupDamaged(path, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Makes a member's data from a backup, whole or not at all.</summary>
    /// <param name="order">The instance.</param>
    /// <param name="backup">The file.</param>
    /// <param name="data">Folder to make.</param>
    /// <param name="arguments">What the member will be started with.</param>
    /// <exception cref="AshlarException">ASH7101, ASH7132, ASH7134.</exception>
    internal static async Task RestoreAsync(EngineOrder order, string backup, string data, string[] arguments)
    {
        await VerifyAsync(backup);
        var temporary = $"{data}.restoring";
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }

        // From 3.6 on etcdctl restores no more; before 3.5 there is no etcdutl.
        var tool = Preparation.Program(order, ["etcdutl", "etcdctl"], "etcd-client");
        string Of(string option) => arguments[Array.IndexOf(arguments, option) + 1];
        var start = new ProcessStartInfo(tool,
        [
            "snapshot", "restore", backup, "--data-dir", temporary, "--name", Of("--name"),
            "--initial-cluster", Of("--initial-cluster"), "--initial-cluster-token", Of("--initial-cluster-token"),
            "--initial-advertise-peer-urls", Of("--initial-advertise-peer-urls"),
        ])
        { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["ETCDCTL_API"] = "3";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var said = await Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw EtcdErrors.RestoreFailed(backup, $"{Path.GetFileName(tool)} says {string.Concat(said).Trim().ReplaceLineEndings(" ")}");
        }

        Directory.Move(temporary, data);
    }

    private static async Task<EtcdBackupReport> SaveAsync(EtcdOptions options, Uri endpoint, string path, CancellationToken cancellation)
    {
        var temporary = $"{path}.new";
        try
        {
            using var gateway = new EtcdGateway(options);

            // After this answer the member has everything that was acknowledged before the question.
            var revision = await gateway.RevisionAsync(cancellation);
            File.Delete(temporary);
            await using (var file = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                await CopyAsync(gateway, options, endpoint, file, cancellation);
                file.Flush(flushToDisk: true);
            }

            var report = await VerifyAsync(temporary, cancellation);
            File.Move(temporary, path, overwrite: true);
            return report with { Path = path, Revision = revision };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException)
        {
            throw EtcdErrors.BackupFailed(path, e.Message.TrimEnd('.'), e);
        }
        catch (EtcdRefusalException e)
        {
            throw EtcdErrors.BackupFailed(path, e.Message, e);
        }
        finally
        {
            Remove(temporary);
        }
    }

    private static async Task CopyAsync(EtcdGateway gateway, EtcdOptions options, Uri endpoint, FileStream file, CancellationToken cancellation)
    {
        using var stream = await gateway.OpenAsync("maintenance/snapshot", new SnapshotRequest(), EtcdBackupMessages.Default.SnapshotRequest, cancellation);
        while (true)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(options.TotalLimit);
            ReadOnlyMemory<byte>? line;
            try
            {
                line = await stream.NextAsync(limit.Token);
            }
            catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
            {
                throw new IOException($"{endpoint.Authority} has fallen silent", e);
            }
            catch (InvalidDataException e)
            {
                throw new IOException($"what {endpoint.Authority} sends is not etcd's", e);
            }

            if (line is not { } bytes)
            {
                return;
            }

            await file.WriteAsync(ReadBlob(bytes.Span) ?? throw new IOException($"what {endpoint.Authority} sends is not etcd's"), cancellation);
        }
    }

    /// <summary>The piece of the database in a line of the stream; null: it is none.</summary>
    internal static byte[]? ReadBlob(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, EtcdBackupMessages.Default.SnapshotLine)?.Result?.Blob;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next backup replaces it.
        }
    }
}

/// <summary>A backup.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Hash">SHA-256 of the database in it, hexadecimal.</param>
/// <param name="Revision">Revision that it has at least; 0: not known.</param>
public sealed record EtcdBackupReport(string Path, long Bytes, string Hash, long Revision);

internal sealed record SnapshotRequest;

internal sealed record SnapshotPiece(byte[]? Blob);

internal sealed record SnapshotLine(SnapshotPiece? Result);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SnapshotRequest))]
[JsonSerializable(typeof(SnapshotLine))]
internal sealed partial class EtcdBackupMessages : JsonSerializerContext;
