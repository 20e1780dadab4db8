using System.Runtime.InteropServices;

namespace Ashlar.Processes;

/// <summary>A null-terminated array of C strings (argv, envp), freed when disposed of.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly unsafe ref struct CStrings : IDisposable
{
    private readonly int _count;

    public CStrings(IReadOnlyCollection<string> strings)
    {
        Pointer = (byte**)NativeMemory.AllocZeroed((nuint)strings.Count + 1, (nuint)sizeof(byte*));
        foreach (var text in strings)
            Pointer[_count++] = (byte*)Marshal.StringToCoTaskMemUTF8(text);
    }

    public CStrings(IReadOnlyCollection<byte[]> strings)
    {
        Pointer = (byte**)NativeMemory.AllocZeroed((nuint)strings.Count + 1, (nuint)sizeof(byte*));
        foreach (var text in strings)
        {
            var copy = (byte*)Marshal.AllocCoTaskMem(text.Length + 1);
            text.CopyTo(new Span<byte>(copy, text.Length));
            copy[text.Length] = 0;
            Pointer[_count++] = copy;
        }
    }

    /// <summary>The array itself.</summary>
    public byte** Pointer { get; }

    public void Dispose()
    {
        for (var i = 0; i < _count; i++)
            Marshal.FreeCoTaskMem((nint)Pointer[i]);
        NativeMemory.Free(Pointer);
    }
}
