namespace Ashlar.Monitoring;

/// <summary>Who wrote a metrics file; the three together are never used again.</summary>
internal sealed record ProcessMark(int Pid, long StartTime, string BootId)
{
    public static ProcessMark Self() => new(Environment.ProcessId, StartOf(Environment.ProcessId), CurrentBoot());

    /// <summary>True: that very process still runs.</summary>
    public bool IsAlive => BootId == CurrentBoot() && StartTime != 0 && StartOf(Pid) == StartTime;

    private static string CurrentBoot()
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

    // Field 22 of /proc/PID/stat; the command's name before it may hold spaces and brackets.
    private static long StartOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields.Length > 19 && long.TryParse(fields[19], out var start) ? start : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
