using System.Collections.Immutable;

namespace Ashlar.Processes.Tests.Launching;

public sealed class ShellCommandTests
{
    [Theory] // 2
    [InlineData("dotnet App.dll --urls http://x:1", "dotnet§App.dll§--urls§http://x:1")]
    [InlineData("  node   server.js ", "node§server.js")]
    [InlineData("node app.js -p $PORT", "/bin/sh§-c§exec node app.js -p $PORT")]
    [InlineData("node app.js -p ${PORT:-80}", "/bin/sh§-c§exec node app.js -p ${PORT:-80}")]
    [InlineData("A=1 B=x node app.js", "/bin/sh§-c§A=1 B=x exec node app.js")]
    [InlineData("app 'a; b' \"c | d\"", "/bin/sh§-c§exec app 'a; b' \"c | d\"")]
    [InlineData("app >out 2>&1", "/bin/sh§-c§exec app >out 2>&1")]
    [InlineData("app *.txt", "/bin/sh§-c§exec app *.txt")]
    [InlineData("a; b", "/bin/sh§-c§a; b")]
    [InlineData("a && b", "/bin/sh§-c§a && b")]
    [InlineData("a | b", "/bin/sh§-c§a | b")]
    [InlineData("app &", "/bin/sh§-c§app &")]
    [InlineData("(a)", "/bin/sh§-c§(a)")]
    [InlineData("cd web", "/bin/sh§-c§cd web")]
    [InlineData("exec app", "/bin/sh§-c§exec app")]
    [InlineData("if true", "/bin/sh§-c§if true")]
    [InlineData("app -w $(nproc)", "/bin/sh§-c§app -w $(nproc)")]
    [InlineData("app `nproc`", "/bin/sh§-c§app `nproc`")]
    [InlineData("app 'open", "/bin/sh§-c§app 'open")]
    [InlineData("A='1 2' app", "/bin/sh§-c§A='1 2' app")]
    public void A_shell_is_left_out_or_told_to_exec_where_the_line_is_one_simple_command(string line, string expected) =>
        Assert.Equal(expected.Split('§'), ShellCommand.ToArguments(line));

    [Theory] // 2
    [InlineData("sleep 1000", "sleep")]
    [InlineData("X=1 sleep $((500+500))", "sh")]
    [InlineData("X=1 sleep \"1000\" >/dev/null 2>&1", "sleep")]
    public async Task The_leader_is_the_app_itself(string line, string name)
    {
        using var lab = new Lab();
        var process = lab.Start(lab.Spec(ShellCommand.ToArguments(line)));
        await Lab.Until(() => ProcessTree.Of(process.Identity.Pid) is var pids && pids.Any(pid => ProcessTable.Name(pid) == "sleep"), "the app");
        Assert.Equal(name, ProcessTable.Name(process.Identity.Pid));
    }

    [Fact]
    public async Task Whatever_form_it_takes_the_program_sees_the_same_arguments()
    {
        using var lab = new Lab();
        ImmutableArray<string> lines = ["printf [%s] a b", "printf '[%s]' a b", "X=1 printf '[%s]' a b", "printf '[%s]' a b; true"];
        foreach (var line in lines)
            await lab.Run(lab.Spec(ShellCommand.ToArguments(line)));
        Assert.Equal(string.Concat(Enumerable.Repeat("[a][b]", lines.Length)), lab.Log);
    }
}
