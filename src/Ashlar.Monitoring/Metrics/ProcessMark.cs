using System.Buffers.Text;
using System.Globalization;

namespace Ashlar.Monitoring;

/// <summary>Who wrote a metrics file; the three together are never used again.</summary>
internal sealed record ProcessMark(int Pid, long StartTime, string BootId)
{
    private const int LongestStat = 1024;
    private static readonly string Boot = ReadBoot();

    public static ProcessMark Self() => new(Environment.ProcessId, StartOf(Environment.ProcessId), Boot);

    /// <summary>True: that very process still runs.</summary>
    public bool IsAlive => BootId == Boot && StartTime != 0 && StartOf(Pid) == StartTime;

    private static string ReadBoot()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    // Field 22 of /proc/PID/stat; the command's name before it may hold spaces and brackets. Asked each second of every writer.
    private static long StartOf(int pid)
    {
        try
        {
            using var file = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            Span<byte> room = stackalloc byte[LongestStat];
            var stat = room[..RandomAccess.Read(file, room, 0)];
            var fields = stat[(stat.LastIndexOf((byte)')') + 1)..];
            for (var skipped = 0; skipped < 20; skipped++)
            {
                fields = fields[(fields.IndexOf((byte)' ') + 1)..];
            }

            return Utf8Parser.TryParse(fields, out long start, out _) ? start : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
