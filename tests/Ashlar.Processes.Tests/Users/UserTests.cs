using Ashlar.Errors;

namespace Ashlar.Processes.Tests.Users;

/// <summary>Becoming another user needs root; as an ordinary user these tests check that it is refused.</summary>
public sealed class UserTests
{
    private const string Other = "nobody";

    [Fact] // 37
    public async Task As_root_the_user_is_dropped_with_groups_and_privileges_and_the_pid_stays()
    {
        using var lab = new Lab();
        var spec = lab.Shell("id -un; id -Gn; grep -E '^(NoNewPrivs|CapEff)' /proc/self/status; echo $HOME $USER $LOGNAME; echo $$ $PATH") with { User = Other };
        spec = spec with { Environment = spec.Environment.SetItem("HOME", "/root").SetItem("USER", "root") };
        if (!SystemUsers.IsRoot)
        {
            Assert.Equal("ASH2006", Assert.Throws<AshlarException>(() => lab.Launcher.Start(spec with { User = "root" })).Error.Code);
            return;
        }
        var process = lab.Start(spec);
        Assert.Equal(0, (await process.Exited.WaitAsync(Lab.Patience)).Code);
        var user = SystemUsers.Find(Other)!;
        Assert.Equal(
            $"{Other}\nnogroup\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n{(Directory.Exists(user.Home) ? user.Home : spec.WorkingDirectory)} {Other} {Other}\n{process.Identity.Pid} /usr/bin:/bin\n", lab.Log);
    }

    [Fact] // 37
    public async Task Folders_that_the_user_cannot_search_are_left_out_of_its_path()
    {
        if (!SystemUsers.IsRoot)
            return;
        using var lab = new Lab();
        var closed = Directory.CreateDirectory(Path.Combine(lab.Folder, "closed/bin")).FullName;
        File.SetUnixFileMode(Path.GetDirectoryName(closed)!, (UnixFileMode)0b111_000_000);
        var spec = lab.Shell("echo $PATH") with { User = Other };
        await lab.Run(spec with { Environment = spec.Environment.SetItem("PATH", $"{closed}:/usr/bin:/none/such:/bin") });
        Assert.Equal("/usr/bin:/none/such:/bin\n", lab.Log);
    }

    [Fact] // 37
    public void What_the_user_may_not_enter_or_execute_is_said_before_the_start()
    {
        if (!SystemUsers.IsRoot)
            return;
        using var lab = new Lab();
        var closed = Directory.CreateDirectory(Path.Combine(lab.Folder, "closed/inner")).FullName;
        File.WriteAllText(Path.Combine(closed, "app"), "#!/bin/sh\n");
        File.SetUnixFileMode(Path.Combine(closed, "app"), (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(Path.GetDirectoryName(closed)!, (UnixFileMode)0b111_000_000);
        var spec = lab.Spec("/bin/true") with { User = Other };
        var folder = Assert.Throws<AshlarException>(() => lab.Launcher.Start(spec with { WorkingDirectory = closed })).Error;
        Assert.Equal("ASH2004", folder.Code);
        Assert.Contains($"'{Other}' may not enter the working folder '{closed}'", folder.Message);
        var program = Assert.Throws<AshlarException>(() => lab.Launcher.Start(spec with { Command = [closed + "/app"] })).Error;
        Assert.Equal("ASH2002", program.Code);
    }

    [Fact]
    public async Task Limits_and_user_together_keep_pid_and_exit_code()
    {
        using var lab = new Lab();
        var user = SystemUsers.IsRoot ? Other : SystemUsers.Current.Name;
        var process = lab.Start(lab.Shell("echo $$; ulimit -n; exit 42") with { User = user, OpenFiles = 99 });
        Assert.Equal(42, (await process.Exited.WaitAsync(Lab.Patience)).Code);
        Assert.Equal($"{process.Identity.Pid}\n99\n", lab.Log);
    }

    [Fact]
    public void Users_are_looked_up_by_name_and_id()
    {
        Assert.Equal((0u, 0u, "root"), SystemUsers.Find("root") is { } root ? (root.Uid, root.Gid, root.Name) : default);
        Assert.Equal(SystemUsers.Find("root"), SystemUsers.Find(0));
        Assert.Null(SystemUsers.Find("no-such-user"));
        Assert.Null(SystemUsers.Find(3_999_999_999));
        Assert.Contains(0u, SystemUsers.Groups(SystemUsers.Find("root")!));
    }
}
