using System.Diagnostics;

namespace Ashlar.Stack.Tests;

public sealed class ShellCommandTests
{
    [Theory]
    [InlineData("./app", "exec ./app")]
    [InlineData("  python3 -m http.server $PORT  ", "exec python3 -m http.server $PORT")]
    [InlineData("app 'a; b' \"c | d\" e\\;f", "exec app 'a; b' \"c | d\" e\\;f")]
    [InlineData("app > out.txt 2>&1", "exec app > out.txt 2>&1")]
    [InlineData("$JAVA_HOME/bin/java -jar ${JAR:-app.jar}", "exec $JAVA_HOME/bin/java -jar ${JAR:-app.jar}")]
    [InlineData("app $(nproc)", "exec app $(nproc)")]
    [InlineData("app a#b", "exec app a#b")]
    [InlineData("FOO=1 app", "exec env FOO=1 app")]
    [InlineData("FOO='a b' BAR= app x", "exec env FOO='a b' BAR= app x")]
    public void One_simple_command_replaces_the_shell(string line, string expected) => Assert.Equal(expected, ShellCommand.WithExec(line));

    [Theory]
    [InlineData("")]
    [InlineData("a; b")]
    [InlineData("a && b")]
    [InlineData("a | b")]
    [InlineData("a &")]
    [InlineData("(a)")]
    [InlineData("{ a; }")]
    [InlineData("a\nb")]
    [InlineData("cd app && ./run")]
    [InlineData("cd app")]
    [InlineData("exec app")]
    [InlineData("if true; then a; fi")]
    [InlineData("FOO=$BAR app")]
    [InlineData("FOO=1")]
    [InlineData("app # why")]
    [InlineData("app 'open")]
    [InlineData("app \"open")]
    [InlineData("app \\")]
    [InlineData("app \"$(a \"b\")\"")]
    [InlineData(">out app")]
    public void Anything_else_is_left_as_it_is(string line) => Assert.Equal(line, ShellCommand.WithExec(line));

    [Theory]
    [InlineData("printf '%s' \"$HOME\" 'a; b'", "/homea; b")]
    [InlineData("FOO='a b' sh -c 'printf %s \"$FOO\"'", "a b")]
    [InlineData("printf a; printf b", "ab")]
    [InlineData("printf '%s' ${NONE:-x}", "x")]
    public void The_shell_understands_the_same(string line, string output) => Assert.Equal(output, Run(line).Output);

    [Theory] // 2
    [InlineData("cat /proc/self/stat")]
    [InlineData("X=1 cat /proc/self/stat")]
    [InlineData("X='1 2' cat \"/proc/self/stat\" 2>&1")]
    [InlineData("cat /proc/${NONE:-self}/stat </dev/null")]
    public void The_process_that_is_started_is_the_app_itself_and_no_shell(string line)
    {
        var (pid, output) = Run(line);

        Assert.StartsWith($"{pid} (cat) ", output, StringComparison.Ordinal);
    }

    private static (int Pid, string Output) Run(string line)
    {
        var arguments = ShellCommand.ToArguments(line);
        using var process = Process.Start(new ProcessStartInfo(arguments[0], arguments.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            Environment = { ["HOME"] = "/home" },
        })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.Id, output);
    }
}
