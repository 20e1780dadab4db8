using System.Runtime.InteropServices;

namespace Ashlar.Output;

/// <summary>What the kernel knows of the terminal behind a descriptor.</summary>
internal static partial class Terminal
{
    private const nuint GetWindowSize = 0x5413; // TIOCGWINSZ
    private const uint Echo = 8;
    private const uint Lines = 2; // ICANON
    private const uint AllOfInput = 0x5EB; // IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON
    private const uint AllOfOutput = 1; // OPOST
    private const uint AllOfLines = 0x804B; // ISIG, ICANON, ECHO, ECHONL, IEXTEN
    private const int LongestWait = 5; // VTIME
    private const int LeastCharacters = 6; // VMIN
    private const int Now = 0;

    /// <summary>True if the descriptor is a terminal.</summary>
    public static bool Is(int descriptor) => IsATty(descriptor) == 1;

    /// <summary>Its columns, or 80 if the kernel does not know.</summary>
    public static int Width(int descriptor) =>
        Ioctl(descriptor, GetWindowSize, out var size) == 0 && size.Columns > 0 ? size.Columns : 80;

    /// <summary>Its rows, or 24 if the kernel does not know.</summary>
    public static int Rows(int descriptor) =>
        Ioctl(descriptor, GetWindowSize, out var size) == 0 && size.Rows > 0 ? size.Rows : 24;

    /// <summary>Lets single keys of standard input be read at once and unseen, until the result is disposed.</summary>
    public static unsafe IDisposable? TakeKeys()
    {
        if (GetAttributes(0, out var before) != 0) return null;
        var keys = before;
        keys.LocalFlags &= ~(Echo | Lines);
        keys.Characters[LeastCharacters] = 0;
        keys.Characters[LongestWait] = 0;
        _ = SetAttributes(0, Now, keys);
        return new Restored(before);
    }

    /// <summary>Passes on what is typed as it is, keys that mean signals among it, until the result is disposed: another terminal looks after that.</summary>
    public static unsafe IDisposable? PassOn()
    {
        if (GetAttributes(0, out var before) != 0) return null;
        var raw = before;
        raw.InputFlags &= ~AllOfInput;
        raw.OutputFlags &= ~AllOfOutput;
        raw.LocalFlags &= ~AllOfLines;
        raw.Characters[LeastCharacters] = 1;
        raw.Characters[LongestWait] = 0;
        _ = SetAttributes(0, Now, raw);
        return new Restored(before);
    }

    /// <summary>The key that was typed first, or null.</summary>
    public static unsafe char? ReadKey()
    {
        byte key;
        return Read(0, &key, 1) == 1 ? (char)key : null;
    }

    /// <summary>Reads a line from standard input without showing what is typed.</summary>
    public static string? ReadSecret(TextReader input)
    {
        if (GetAttributes(0, out var shown) != 0) return input.ReadLine();
        var hidden = shown;
        hidden.LocalFlags &= ~Echo;
        _ = SetAttributes(0, Now, hidden);
        try
        {
            return input.ReadLine();
        }
        finally
        {
            _ = SetAttributes(0, Now, shown);
        }
    }

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int descriptor);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ioctl(int descriptor, nuint request, out WindowSize size);

    [LibraryImport("libc", EntryPoint = "read")]
    private static unsafe partial nint Read(int descriptor, byte* into, nint count);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int descriptor, out Attributes attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int descriptor, int when, in Attributes attributes);

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows, Columns, PixelsX, PixelsY;
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Attributes
    {
        public uint InputFlags, OutputFlags, ControlFlags, LocalFlags;
        public byte Discipline;
        public fixed byte Characters[32];
        public uint InputSpeed, OutputSpeed;
    }

    private sealed class Restored(Attributes before) : IDisposable
    {
        public void Dispose() => _ = SetAttributes(0, Now, before);
    }
}
