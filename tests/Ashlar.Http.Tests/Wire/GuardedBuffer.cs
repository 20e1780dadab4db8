using System.Runtime.InteropServices;

namespace Ashlar.Http.Tests.Wire;

/// <summary>Memory that ends at a page nobody may touch: whoever reads past a message placed here dies of it.</summary>
internal sealed unsafe class GuardedBuffer : IDisposable
{
    private const int Size = 64 * 1024;
    private const int Page = 4096;

    private readonly nint _start;

    public GuardedBuffer()
    {
        _start = mmap(0, Size + Page, 3, 0x22, -1, 0);
        Assert.NotEqual(-1, _start);
        Assert.Equal(0, mprotect(_start + Size, Page, 0));
    }

    /// <summary>Copies a message so that its last byte is the last before the guard.</summary>
    public ReadOnlySpan<byte> Place(ReadOnlySpan<byte> message)
    {
        var place = new Span<byte>((void*)(_start + Size - message.Length), message.Length);
        message.CopyTo(place);
        return place;
    }

    public void Dispose() => Assert.Equal(0, munmap(_start, Size + Page));

    [DllImport("libc")]
    private static extern nint mmap(nint address, nint length, int protection, int flags, int descriptor, nint offset);

    [DllImport("libc")]
    private static extern int mprotect(nint address, nint length, int protection);

    [DllImport("libc")]
    private static extern int munmap(nint address, nint length);
}
