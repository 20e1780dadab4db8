using System.Net;
using System.Net.Sockets;
using Ashlar.Commands;
using Ashlar.Doctoring;
using Ashlar.Output;
using Ashlar.Stack;

namespace Ashlar;

public sealed class DoctorTests
{
    [Fact]
    public void A_port_that_is_taken_is_said_with_its_holder()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var check = StackChecks.Port(new ListenAddress("127.0.0.1", port), null);
        Assert.Equal(Verdict.Failed, check.Verdict);
        Assert.Contains($"pid {Environment.ProcessId}", check.Finding);
        Assert.Equal(Verdict.Good, StackChecks.Port(new ListenAddress("127.0.0.1", port), CliRig.Storefront).Verdict);
    }

    [Theory]
    [InlineData("python3 app.py", "python3")]
    [InlineData("PORT=1 exec gunicorn app:app", "gunicorn")]
    [InlineData("'./my app'", "./my")]
    [InlineData("cd web && npm start", null)]
    [InlineData("$CMD", null)]
    [InlineData("", null)]
    public void The_program_of_a_command_line_is_found_where_no_shell_is_needed(string line, string? program) =>
        Assert.Equal(program, Programs.Of(line));

    [Fact]
    public void A_program_that_is_missing_is_said_with_its_package()
    {
        var stack = new StackDefinition
        {
            Name = "s",
            Directory = "/",
            Services = [new() { Name = "web", Run = "no-such-program-xyz" }, new() { Name = "worker", Run = "no-such-program-xyz -w" }],
        };
        var check = Assert.Single(StackChecks.ProgramsOf(stack, ServicePrograms.Here(stack)));
        Assert.Equal("is not on the PATH that services get, needed by services.web.run, services.worker.run", check.Finding);
        Assert.Null(check.Package);
        Assert.Equal("nodejs", Programs.PackageOf("node"));
        var missing = Assert.Single(MachineChecks.Tools(name => name == "setpriv" ? null : "/usr/bin/" + name), tool => tool.Verdict == Verdict.Failed);
        Assert.Equal("util-linux", missing.Package);
    }

    [Fact]
    public void Programs_are_looked_for_on_the_PATH_that_a_service_gets()
    {
        using var folder = new Testing.TempFolder();
        folder.Write("bin/tool", "#!/bin/sh\n");
        File.SetUnixFileMode(Path.Combine(folder.Path, "bin/tool"), (UnixFileMode)0b111_101_101);
        var stack = new StackDefinition
        {
            Name = "s", Directory = folder.Path,
            Services =
            [
                new() { Name = "web", Run = "tool serve", Env = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("PATH", $"{folder.Path}/bin:/usr/bin") },
                new() { Name = "worker", Run = "tool work" },
            ],
        };
        var checks = StackChecks.ProgramsOf(stack, ServicePrograms.Here(stack)).ToList();
        Assert.Equal([Verdict.Good, Verdict.Failed], checks.Select(check => check.Verdict));
        Assert.Equal($"{folder.Path}/bin/tool, for services.web.run", checks[0].Finding);

        var vars = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("PATH", $"{folder.Path}/bin");
        var configured = new ServicePrograms(stack, System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty, vars, null);
        Assert.Equal(Verdict.Good, Assert.Single(StackChecks.ProgramsOf(stack, configured)).Verdict);
    }

    [Theory]
    [InlineData(50L << 20, Verdict.Failed)]
    [InlineData(500L << 20, Verdict.Warning)]
    [InlineData(5L << 30, Verdict.Good)]
    public void Room_on_the_disk_is_judged(long free, object verdict) => Assert.Equal(verdict, MachineChecks.Disk("/srv", free).Verdict);

    [Theory]
    [InlineData("1024                 4096", Verdict.Warning)]
    [InlineData("1024                 1048576", Verdict.Good)]
    [InlineData("unlimited            unlimited", Verdict.Good)]
    public void The_limit_of_open_files_is_judged(string numbers, object verdict) =>
        Assert.Equal(verdict, MachineChecks.OpenFiles($"Limit  Soft  Hard  Units\nMax open files            {numbers}              files\n").Verdict);

    [Fact]
    public void The_report_has_a_line_a_check_and_what_to_do_beneath()
    {
        var report = new DoctorReport(false, [Check.Good("disk", "5.00 GiB free"), new("php", Verdict.Failed, "is not on the PATH", "apt-get install php-cli", "php-cli")], []);
        Assert.Equal("""
            ok    disk  5.00 GiB free
            fail  php   is not on the PATH
                        → apt-get install php-cli

            """, DoctorCommand.Render(new Screen(TextWriter.Null), report));
    }

    [Fact]
    public async Task Doctor_works_without_a_stack_and_with_a_broken_one()
    {
        using var empty = new CliRig(withStack: false);
        Assert.Equal(ExitCodes.Ok, await empty.RunAsync("doctor"));
        using var broken = new CliRig();
        broken.Agent.Running = false;
        broken.Folder.Write("ashlar.yaml", "services: 7\n");
        Assert.Equal(ExitCodes.NotReady, await broken.RunAsync("doctor"));
        Assert.Contains("ashlar check", broken.Out.ToString());
    }
}
