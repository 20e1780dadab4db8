using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Errors;

namespace Ashlar.Processes.Tests.Launching;

public sealed class StartTests
{
    [Fact] // 1
    public async Task Each_instance_gets_a_session_and_a_group_of_its_own()
    {
        using var lab = new Lab();
        var process = lab.StartShell("sleep 1000");
        Assert.True(ProcessTable.TryRead(process.Identity.Pid, out var stat));
        Assert.Equal(process.Identity.Pid, stat.Session);
        Assert.Equal(process.Identity.Pid, stat.Group);
        Assert.Equal(Environment.ProcessId, stat.Parent);
        await process.StopAsync(Lab.Patience);
    }

    [Fact] // 7
    public async Task A_child_has_every_signal_at_its_default_and_none_blocked()
    {
        using var lab = new Lab();
        await lab.Run(lab.Spec("/bin/cat", "/proc/self/status"));
        var masks = lab.Log.Split('\n').Where(line => line.StartsWith("SigIgn") || line.StartsWith("SigBlk")).ToList();
        Assert.Equal(2, masks.Count);
        // 32 and 33 are the C library's own; it sets them anew in every program.
        const ulong Internal = 3UL << 31;
        Assert.All(masks, mask => Assert.Equal(0UL, ulong.Parse(mask.AsSpan(8), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & ~Internal));
    }

    [Fact] // 7
    public async Task Yes_piped_into_head_ends()
    {
        using var lab = new Lab();
        Assert.Equal(0, (await lab.RunShell("yes | head -n 1")).Code);
        Assert.Equal("y\n", lab.Log);
    }

    [Fact] // 8, 32
    public async Task A_child_has_no_terminal_so_an_interrupt_typed_there_reaches_it_only_through_us()
    {
        using var lab = new Lab();
        await lab.RunShell("cut -d' ' -f7 /proc/$$/stat; test -t 0 || test -t 1 || test -t 2 || echo none; cat");
        Assert.Equal("0\nnone\n", lab.Log);
    }

    [Fact] // 15
    public async Task A_child_outlives_the_thread_that_started_it()
    {
        using var lab = new Lab();
        ManagedProcess? process = null;
        var thread = new Thread(() => process = lab.StartShell("while [ ! -e go ]; do sleep 0.01; done; exit 8"));
        thread.Start();
        thread.Join();
        Assert.True(Lab.Lives(process!.Identity.Pid));
        File.WriteAllText(Path.Combine(lab.Folder, "go"), "");
        Assert.Equal(8, (await process.Exited.WaitAsync(Lab.Patience)).Code);
    }

    [Fact] // 36
    public async Task A_secret_in_the_environment_is_in_no_command_line()
    {
        using var lab = new Lab();
        var spec = lab.Spec("/bin/sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline; echo \"${#SECRET}\"") with { Cpu = 1, OpenFiles = 100 };
        await lab.Run(spec with { Environment = spec.Environment.Add("SECRET", "hunter2") });
        Assert.DoesNotContain("hunter2", lab.Log);
        Assert.EndsWith("7\n", lab.Log);
    }

    [Fact] // 9
    public async Task Exit_codes_and_signals_are_told_apart()
    {
        using var lab = new Lab();
        var coded = await lab.RunShell("exit 143");
        Assert.Equal((143, null, 143), (coded.Code, coded.Signal, coded.ShellCode));
        var signalled = await lab.RunShell("kill -TERM $$");
        Assert.Equal((null, 15, 143), (signalled.Code, signalled.Signal, signalled.ShellCode));
        Assert.Equal("exit 143", coded.ToString());
        Assert.Equal("killed by SIGTERM", signalled.ToString());
    }

    [Fact] // 41
    public async Task A_child_sees_the_descriptors_0_1_2_only()
    {
        using var lab = new Lab();
        using var open = File.OpenRead("/proc/self/stat");
        // One that is not close-on-exec, as a library may leave it.
        using var leaky = new FileDescriptor(Libc.open("/dev/null", 0, 0));
        await lab.Run(lab.Spec("/bin/ls", "-l", "/proc/self/fd"));
        var entries = lab.Log.Split('\n').Where(line => line.Contains("->")).Select(line => line[(line.LastIndexOf(':') + 4)..]).ToList();
        Assert.Equal(["0 -> /dev/null", $"1 -> {lab.LogPath}", $"2 -> {lab.LogPath}"], entries[..3]);
        Assert.Single(entries[3..], entry => entry.Contains("/proc/")); // ls's own, of the folder it reads.
    }

    [Fact]
    public async Task Descriptors_handed_down_become_3_and_4_whatever_their_numbers_were()
    {
        using var lab = new Lab();
        File.WriteAllText(Path.Combine(lab.Folder, "a"), "first");
        File.WriteAllText(Path.Combine(lab.Folder, "b"), "second");
        using var a = new FileDescriptor(Libc.open(Path.Combine(lab.Folder, "a"), Libc.O_CLOEXEC, 0));
        using var b = new FileDescriptor(Libc.open(Path.Combine(lab.Folder, "b"), Libc.O_CLOEXEC, 0));
        await lab.Start(lab.Shell("cat <&3; echo; cat <&4; ls /proc/self/fd | wc -l"), b.Number, a.Number).Exited;
        Assert.Equal("second\nfirst6\n", lab.Log);
    }

    [Fact] // 6
    public async Task The_tag_and_nothing_of_ours_is_in_its_environment()
    {
        using var lab = new Lab();
        var spec = lab.Spec("/usr/bin/env");
        await lab.Run(spec with { Environment = spec.Environment.Add("EMPTY", "").Add("TEXT", "a b=\"ü\"").Add("dotted.name", "1") });
        Assert.Equal([$"ASHLAR_INSTANCE_ID={spec.Tag}", "EMPTY=", "PATH=/usr/bin:/bin", "PYTHONUNBUFFERED=1", "TEXT=a b=\"ü\"", "dotted.name=1"],
            lab.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact] // 33
    public async Task Python_is_told_not_to_hold_back_its_output_unless_the_app_says_otherwise()
    {
        using var lab = new Lab();
        var spec = lab.Shell("echo \"[$PYTHONUNBUFFERED]\"");
        await lab.Run(spec);
        await lab.Run(spec with { Environment = spec.Environment.Add("PYTHONUNBUFFERED", "") });
        Assert.Equal("[1]\n[]\n", lab.Log);
    }

    [Fact]
    public async Task It_starts_in_its_folder_also_one_with_blanks()
    {
        using var lab = new Lab();
        var folder = Directory.CreateDirectory(Path.Combine(lab.Folder, "a folder")).FullName;
        await lab.Run(lab.Spec("pwd") with { WorkingDirectory = folder });
        Assert.Equal(folder + "\n", lab.Log);
    }

    [Fact]
    public async Task The_log_is_appended_to_and_closed_to_others()
    {
        using var lab = new Lab();
        await lab.RunShell("echo one");
        await lab.RunShell("echo two >&2");
        Assert.Equal("one\ntwo\n", lab.Log);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(lab.LogPath) & (UnixFileMode.OtherRead | UnixFileMode.GroupWrite));
    }

    [Fact] // 38
    public async Task Open_files_and_core_size_are_limited_for_it_alone()
    {
        using var lab = new Lab();
        var process = lab.Start(lab.Shell("ulimit -n; ulimit -Hn; ulimit -c; echo $$") with { OpenFiles = 321, CoreSize = 0 });
        Assert.Equal(0, (await process.Exited).Code);
        Assert.Equal($"321\n321\n0\n{process.Identity.Pid}\n", lab.Log);
    }

    [Theory]
    [InlineData("no-such-program", "ASH2001")]
    [InlineData("/no/such/program", "ASH2001")]
    [InlineData("./plain-file", "ASH2002")]
    [InlineData("/tmp", "ASH2002")]
    [InlineData("./binary-nonsense", "ASH2008")]
    public void What_cannot_be_executed_is_said_before_anything_runs(string program, string code)
    {
        using var lab = new Lab();
        File.WriteAllText(Path.Combine(lab.Folder, "plain-file"), "");
        File.WriteAllText(Path.Combine(lab.Folder, "binary-nonsense"), "\0\0\0");
        File.SetUnixFileMode(Path.Combine(lab.Folder, "binary-nonsense"), (UnixFileMode)0b111_101_101);
        var error = Assert.Throws<AshlarException>(() => lab.BareLauncher.Start(lab.Spec(program))).Error;
        Assert.Equal(code, error.Code);
        Assert.Contains(program.TrimStart('.'), error.Message);
    }

    [Fact]
    public void A_missing_folder_and_an_unwritable_log_are_said()
    {
        using var lab = new Lab();
        var spec = lab.Spec("true");
        Assert.Equal("ASH2003", Assert.Throws<AshlarException>(() =>
            lab.Launcher.Start(spec with { WorkingDirectory = lab.Folder + "/none" })).Error.Code);
        Assert.Equal("ASH2007", Assert.Throws<AshlarException>(() =>
            lab.Launcher.Start(spec with { LogPath = lab.Folder + "/none/log" })).Error.Code);
        Assert.Equal("ASH2007", Assert.Throws<AshlarException>(() => lab.Launcher.Start(spec with { LogPath = lab.Folder })).Error.Code);
    }

    [Fact] // 37
    public void An_unknown_user_is_refused()
    {
        using var lab = new Lab();
        var error = Assert.Throws<AshlarException>(() => lab.Launcher.Start(lab.Spec("true") with { User = "no-such-user" })).Error;
        Assert.Equal("ASH2005", error.Code);
    }

    [Fact]
    public async Task Arguments_arrive_as_they_are()
    {
        using var lab = new Lab();
        ImmutableArray<string> odd = ["a b", "", "$HOME", "--", "'\"", "ü", "new\nline"];
        await lab.Run(lab.Spec(["/usr/bin/printf", "[%s]", .. odd]));
        Assert.Equal(string.Concat(odd.Select(text => $"[{text}]")), lab.Log);
    }
}
