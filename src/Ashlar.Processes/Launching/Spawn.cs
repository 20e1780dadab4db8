using System.Globalization;

namespace Ashlar.Processes;

/// <summary>
/// <c>posix_spawn</c> of a new session: default signals, empty mask, and no descriptor but the ones named here. .NET's
/// <see cref="System.Diagnostics.Process"/> has none of these, and its children inherit SIGPIPE ignored.
/// </summary>
internal static unsafe class Spawn
{
    private const short SetSigMask = 0x08;
    private const short SetSigDefault = 0x04;
    private const short SetSession = 0x80;
    private const int AttributesSize = 512;
    private const int ActionsSize = 128;
    private const int SignalSetSize = 128;

    /// <summary>Starts it and gives its pid (a direct child, leader of its session and group), or a negative errno.</summary>
    /// <param name="path">Path of the program.</param>
    /// <param name="arguments">argv, the program's name first.</param>
    /// <param name="environment">NAME=value.</param>
    /// <param name="folder">Folder it starts in.</param>
    /// <param name="log">Becomes its stdout and stderr.</param>
    /// <param name="descriptors">Become its descriptors 3, 4, …</param>
    public static int Start(string path, IReadOnlyCollection<string> arguments, IReadOnlyCollection<string> environment,
        string folder, int log, ReadOnlySpan<int> descriptors)
    {
        using var argv = new CStrings(arguments);
        using var envp = new CStrings(environment);
        return Start(path, argv, envp, folder, input: null, log, log, descriptors);
    }

    /// <summary>The same with an input and two outputs.</summary>
    /// <param name="path">Path of the program.</param>
    /// <param name="argv">The program's name first.</param>
    /// <param name="envp">NAME=value.</param>
    /// <param name="folder">Folder it starts in.</param>
    /// <param name="input">Becomes its stdin; null: it has an empty one.</param>
    /// <param name="output">Becomes its stdout.</param>
    /// <param name="error">Becomes its stderr.</param>
    /// <param name="descriptors">Become its descriptors 3, 4, …</param>
    public static int Start(string path, in CStrings argv, in CStrings envp, string folder, int? input, int output, int error, ReadOnlySpan<int> descriptors)
    {
        var attributes = stackalloc byte[AttributesSize];
        var actions = stackalloc byte[ActionsSize];
        var set = stackalloc byte[SignalSetSize];
        // dup2 one after the other would overwrite a source that lies among the targets; copies above all targets cannot collide.
        var above = 3 + descriptors.Length;
        var copies = new List<FileDescriptor>();
        _ = Libc.posix_spawnattr_init(attributes);
        _ = Libc.posix_spawn_file_actions_init(actions);
        try
        {
            Must(Libc.posix_spawnattr_setflags(attributes, SetSession | SetSigDefault | SetSigMask));
            _ = Libc.sigfillset(set);
            Must(Libc.posix_spawnattr_setsigdefault(attributes, set));
            _ = Libc.sigemptyset(set);
            Must(Libc.posix_spawnattr_setsigmask(attributes, set));

            var (outputCopy, errorCopy) = (Copy(output), Copy(error));
            Must(input is { } given
                ? Libc.posix_spawn_file_actions_adddup2(actions, Copy(given), 0)
                : Libc.posix_spawn_file_actions_addopen(actions, 0, "/dev/null", 0, 0));
            Must(Libc.posix_spawn_file_actions_adddup2(actions, outputCopy, 1));
            Must(Libc.posix_spawn_file_actions_adddup2(actions, errorCopy, 2));
            for (var i = 0; i < descriptors.Length; i++)
                Must(Libc.posix_spawn_file_actions_adddup2(actions, Copy(descriptors[i]), 3 + i));
            Must(Libc.posix_spawn_file_actions_addchdir_np(actions, folder));
            CloseFrom(actions, above);

            int pid;
            var refused = Libc.posix_spawn(&pid, path, actions, attributes, argv.Pointer, envp.Pointer);
            return refused == 0 ? pid : -refused;
        }
        finally
        {
            _ = Libc.posix_spawn_file_actions_destroy(actions);
            _ = Libc.posix_spawnattr_destroy(attributes);
            foreach (var copy in copies)
                copy.Dispose();
        }

        int Copy(int fd)
        {
            var copy = new FileDescriptor(Libc.fcntl(fd, Libc.F_DUPFD_CLOEXEC, above));
            copies.Add(copy);
            return copy.Number;
        }
    }

    private static void CloseFrom(void* actions, int from)
    {
        try
        {
            Must(Libc.posix_spawn_file_actions_addclosefrom_np(actions, from));
        }
        catch (EntryPointNotFoundException)
        {
            // glibc before 2.34: close what is open now; all that this program opens meanwhile is close-on-exec anyway.
            foreach (var entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
            {
                if (int.TryParse(Path.GetFileName(entry), CultureInfo.InvariantCulture, out var fd) && fd >= from)
                    Must(Libc.posix_spawn_file_actions_addclose(actions, fd));
            }
        }
    }

    private static void Must(int errno)
    {
        if (errno != 0)
            throw new IOException($"A process start could not be prepared: {ProcessErrors.Text(errno)}.");
    }
}
