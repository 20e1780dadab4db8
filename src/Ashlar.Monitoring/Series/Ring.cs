using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Monitoring;

/// <summary>
/// A ring of records of one size, one for each step of time, at a fixed place in a file. A record begins with a word that is made of
/// its time, of what it holds and of whose it is: so one that is torn, damaged, of an earlier lap or of another series is
/// recognised, whatever the clock did.
/// </summary>
/// <param name="RecordBytes">Size of a record, its word included.</param>
/// <param name="Records">Records in a lap.</param>
/// <param name="Step">Seconds between records.</param>
internal sealed record Ring(int RecordBytes, int Records, int Step)
{
    private const int WordBytes = 4;

    /// <summary>What a record holds beside its word.</summary>
    public int PayloadBytes => RecordBytes - WordBytes;

    /// <summary>Size in the file.</summary>
    public int Bytes => RecordBytes * Records;

    /// <summary>Begin of the step in which a time lies, in Unix seconds.</summary>
    public long Begin(long time) => time - (time % Step);

    /// <summary>Writes a record.</summary>
    /// <param name="file">The file.</param>
    /// <param name="start">Where the ring begins in it.</param>
    /// <param name="seed">Whose it is.</param>
    /// <param name="time">Unix seconds.</param>
    /// <param name="payload">What it holds.</param>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Write(SafeFileHandle file, long start, uint seed, long time, ReadOnlySpan<byte> payload)
    {
        Span<byte> record = stackalloc byte[RecordBytes];
        Compose(record, seed, time, payload);
        Write(file, start, time, record);
    }

    /// <summary>Makes a record without writing it.</summary>
    public void Compose(Span<byte> into, uint seed, long time, ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(into[WordBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(into, Word(seed, Begin(time), into[WordBytes..RecordBytes]));
    }

    /// <summary>Writes records of steps that follow one another and do not go over the end of a lap.</summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Write(SafeFileHandle file, long start, long first, ReadOnlySpan<byte> records) => RandomAccess.Write(file, records, start + At(first));

    /// <summary>Reads the records from a time to another, at most a lap of them, and gives those that are there.</summary>
    public void Read(SafeFileHandle file, long start, uint seed, long from, long to, RecordReader found)
    {
        var begin = Math.Max(Begin(Math.Max(0, from)), Begin(Math.Max(0, to - 1)) - ((long)(Records - 1) * Step));
        var count = begin >= to ? 0 : (int)Math.Min(Records, (to - begin + Step - 1) / Step);
        var length = count * RecordBytes;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        Array.Clear(buffer, 0, length);
        var first = (int)(begin / Step % Records);
        var beforeEnd = Math.Min(count, Records - first);
        Fill(file, buffer.AsSpan(0, beforeEnd * RecordBytes), start + ((long)first * RecordBytes));
        Fill(file, buffer.AsSpan(0, length)[(beforeEnd * RecordBytes)..], start);
        for (var i = 0; i < count; i++)
        {
            var record = buffer.AsSpan(i * RecordBytes, RecordBytes);
            var (time, word) = (begin + ((long)i * Step), BinaryPrimitives.ReadUInt32LittleEndian(record));
            if (word != 0 && word == Word(seed, time, record[WordBytes..]))
            {
                found(time, record[WordBytes..]);
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private long At(long time) => time / Step % Records * RecordBytes;

    // What lies behind the end of the file, or cannot be read, holds nothing.
    private static void Fill(SafeFileHandle file, Span<byte> into, long offset)
    {
        try
        {
            while (into.Length > 0 && RandomAccess.Read(file, into, offset) is > 0 and var read)
            {
                into = into[read..];
                offset += read;
            }
        }
        catch (IOException)
        {
            into.Clear();
        }
    }

    private static uint Word(uint seed, long time, ReadOnlySpan<byte> payload)
    {
        var hash = Mix(Mix(seed, (uint)time), (uint)(time >> 32));
        for (; payload.Length >= 4; payload = payload[4..])
        {
            hash = Mix(hash, BinaryPrimitives.ReadUInt32LittleEndian(payload));
        }

        return hash == 0 ? 1 : hash;
    }

    // The final step of MurmurHash3 (public domain), which spreads each bit over all.
    private static uint Mix(uint hash, uint value)
    {
        hash = (hash ^ value) * 0x85EBCA6B;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
        return hash ^ (hash >> 16);
    }
}

/// <summary>Gets a record that was found.</summary>
internal delegate void RecordReader(long time, ReadOnlySpan<byte> payload);
