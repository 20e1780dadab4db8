using Ashlar.Agent.Api;
using Ashlar.Foreground;
using Ashlar.Testing;

namespace Ashlar;

public sealed class UpTests : IDisposable
{
    private static readonly UpResult Result = new("v12", true, ["http://127.0.0.1:8080"]);
    private readonly CliRig _rig = new();

    public UpTests() => _rig.Agent.Running = false;

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Up_detached_shows_the_steps_and_prints_where_it_answers()
    {
        _rig.Agent.Answers(AgentVerbs.Up, FakeAgent.Progress("building web"), FakeAgent.Progress("starting web.1"), FakeAgent.Done(Result, AgentJson.Default.UpResult));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("up", "--detach"));
        Assert.Equal("v12 is up: http://127.0.0.1:8080\n", _rig.Out.ToString());
        Assert.Equal("· building web\n· starting web.1\n", _rig.Error.ToString());
        Assert.True(_rig.Agent.Running);
    }

    [Theory]
    [InlineData("nowhere", "ASH6027")]
    [InlineData("empty", "ASH6014")]
    public async Task Up_where_there_is_no_stack_says_so_once(string path, string code)
    {
        _rig.Folder.Write("empty/notes.txt", "");
        Assert.Equal(ExitCodes.StackInvalid, await _rig.RunAsync("up", path));
        Assert.StartsWith($"error {code} (cli): ", _rig.Error.ToString());
        Assert.Equal(2, _rig.Error.ToString().Count(sign => sign == '\n'));
    }

    [Fact]
    public async Task A_failed_first_release_names_the_instance_with_its_last_lines_and_leaves_nothing_running()
    {
        _rig.Agent.Reports(CliRig.Storefront with { Release = "" })
            .Answers(AgentVerbs.Up, FakeAgent.Fails("ASH4010", "web.2 does not stay up: exit 1.", "ashlar logs web.2"));
        Assert.Equal(ExitCodes.Unhealthy, await _rig.RunAsync("up", "--detach"));
        Assert.Equal("""
                web.2: backoff, exit 1, next start in 4 s
                  | Traceback:
                  | KeyError: 'DATABASE_URL'
            error ASH4010 (agent): web.2 does not stay up: exit 1.
            next: ashlar logs web.2

            """, _rig.Error.ToString());
        Assert.Equal("down", _rig.Agent.Asked[^1].Verb);
        Assert.False(_rig.Agent.Running);
    }

    [Fact]
    public async Task A_failed_later_release_leaves_alone_what_ran()
    {
        _rig.Agent.Running = true;
        _rig.Agent.Reports(CliRig.Storefront).Answers(AgentVerbs.Up, FakeAgent.Fails("ASH5003", "build of web: exit 1.", "mend it"));
        Assert.Equal(ExitCodes.Failed, await _rig.RunAsync("up", "--detach"));
        Assert.DoesNotContain("down", _rig.Agent.Asked.Select(asked => asked.Verb));
    }

    [Fact]
    public async Task A_dry_run_asks_the_agent_that_runs_and_does_not_replace_it()
    {
        _rig.Agent.Running = true;
        _rig.Agent.Answers(AgentVerbs.Plan, FakeAgent.Done(new PlanResult(["start edge.1", "start web.1"]), AgentJson.Default.PlanResult));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("up", "--dry-run"));
        Assert.Equal("start edge.1\nstart web.1\n", _rig.Out.ToString());
        Assert.Equal([AgentVerbs.Plan], _rig.Agent.Asked.Select(asked => asked.Verb));
    }

    [Fact]
    public async Task A_dry_run_before_the_first_up_prints_build_release_and_start_and_leaves_no_file_and_no_agent()
    {
        _rig.Folder.Write("ashlar.yaml", $$"""
            name: shop
            edge: {listen: {http: "127.0.0.1:{{Ports.Free()}}"} }
            dashboard: off
            services:
              web: {run: ./server, build: make server, route: /}
              worker: {run: sleep 1000, instances: 2}
            release: ./migrate
            database: {}
            """);
        _rig.Folder.Write("server.c", "int main;");
        var before = Directory.GetFileSystemEntries(_rig.Folder.Path, "*", SearchOption.AllDirectories);
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("up", "--dry-run"));
        Assert.Equal("""
            copy 1 file to v1
            build web: make server
            start database.1
            run the release command: ./migrate
            start edge.1
            start web.1 (v1)
            start worker.1 (v1)
            start worker.2 (v1)

            """, _rig.Out.ToString());
        Assert.False(_rig.Agent.Running);
        Assert.Empty(_rig.Agent.Asked);
        Assert.Equal(before.Order(), Directory.GetFileSystemEntries(_rig.Folder.Path, "*", SearchOption.AllDirectories).Order());
    }

    [Fact]
    public async Task A_dry_run_says_what_up_would_refuse()
    {
        using var holder = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        holder.Start();
        _rig.Folder.Write("ashlar.yaml", $$"""
            edge: {listen: {http: "{{holder.LocalEndpoint}}"} }
            services:
              web: {run: sleep 1000}
            """);
        Assert.Equal(ExitCodes.Refused, await _rig.RunAsync("up", "--dry-run"));
        Assert.Contains("error ASH4015 (agent): Cannot listen on", _rig.Error.ToString());
    }

    [Fact]
    public async Task Mistakes_of_the_file_are_all_shown_and_no_agent_is_started()
    {
        _rig.Folder.Write("ashlar.yaml", "services:\n  web:\n    rum: x\n    instances: many\n");
        Assert.Equal(ExitCodes.StackInvalid, await _rig.RunAsync("up"));
        Assert.Contains("ashlar.yaml:3:5: error", _rig.Error.ToString());
        Assert.Contains("ashlar.yaml:4:16: error", _rig.Error.ToString());
        Assert.False(_rig.Agent.Running);
    }

    [Fact]
    public async Task Check_prints_all_mistakes_with_their_places()
    {
        _rig.Folder.Write("ashlar.yaml", "services:\n  web:\n    rum: x\n    instances: many\n");
        Assert.Equal(ExitCodes.StackInvalid, await _rig.RunAsync("check"));
        Assert.Contains("ashlar.yaml:3:5: error", _rig.Out.ToString());
        Assert.EndsWith("mistakes\n", _rig.Out.ToString());
    }

    [Fact]
    public async Task Check_says_where_a_setting_of_the_database_stands_that_cannot_be()
    {
        _rig.Folder.Write("ashlar.yaml", "services: {web: {run: x}}\ndatabase:\n  settings:\n    port: 5432\n");
        Assert.Equal(ExitCodes.StackInvalid, await _rig.RunAsync("check"));
        Assert.Contains("ashlar.yaml:4:5: error ASH7009", _rig.Out.ToString());
        Assert.EndsWith("1 mistake\n", _rig.Out.ToString());
    }

    [Fact]
    public async Task Check_says_what_a_good_file_has()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("check"));
        Assert.EndsWith("with web\n", _rig.Out.ToString());
    }

    [Fact]
    public async Task Init_writes_a_file_that_check_likes_and_overwrites_nothing()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("init"));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("check"));
        Assert.Equal(ExitCodes.Refused, await _rig.RunAsync("init"));
        Assert.Contains("--force", _rig.Error.ToString());
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("init", "--force"));
    }

    [Fact]
    public async Task Init_in_a_folder_without_an_app_says_what_to_do()
    {
        using var empty = new CliRig(withStack: false);
        Assert.Equal(ExitCodes.StackInvalid, await empty.RunAsync("init"));
        Assert.Contains("ASH6023", empty.Error.ToString());
    }

    [Fact]
    public async Task The_schema_is_JSON()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("schema"));
        using var schema = System.Text.Json.JsonDocument.Parse(_rig.Out.ToString());
        Assert.Equal("object", schema.RootElement.GetProperty("type").GetString());
    }

    [Fact]
    public void The_status_line_has_release_health_and_address() =>
        Assert.Equal(" storefront  v12  3/4 healthy  http://127.0.0.1:8080", StatusLine.Render(CliRig.Storefront));
}
