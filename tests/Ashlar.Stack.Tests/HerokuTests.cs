namespace Ashlar.Stack.Tests;

/// <summary>An app that ran on Heroku needs no stack file.</summary>
public sealed class HerokuTests : StackTest
{
    private StackLoadResult Load() => StackLoader.Load(Folder.Path);

    [Fact]
    public void A_Procfile_alone_is_a_stack()
    {
        Folder.Write("Procfile", "# what runs\nweb: python3 web.py --port $PORT\r\n\nworker:   ./work \nrelease: ./migrate\n");
        var stack = WithoutDiagnostics(Load());

        Assert.Equal("./migrate", stack.Release);
        Assert.Equal(
            [("web", "python3 web.py --port $PORT", ServiceInterface.Http), ("worker", "./work", ServiceInterface.None)],
            stack.Services.Select(s => (s.Name, s.Run, s.Interface)));
        Assert.Equal([new(null, "/")], stack.Services[0].Routes.ToArray());
    }

    [Fact]
    public void A_Procfiles_names_are_made_to_fit()
    {
        Folder.Write("Procfile", "web: x\nMailer_Queue: y\n");
        var result = Load();

        Assert.Equal("mailer-queue", result.Stack!.Services[1].Name);
        Assert.Equal((DiagnosticSeverity.Note, "2:1 ASH1038"), (result.Diagnostics[0].Severity, Place(result.Diagnostics[0])));
    }

    [Fact]
    public void A_Procfiles_mistakes_have_their_place()
    {
        Folder.Write("Procfile", "web: x\nweb: y\n  what is this\nworker:\nc++: x\n");

        Assert.Equal(["2:1 ASH1004", "3:3 ASH1026", "4:1 ASH1039", "5:1 ASH1026"], Load().Errors.Select(Place));
    }

    [Fact]
    public void An_empty_Procfile_runs_nothing()
    {
        Folder.Write("Procfile", "");

        Assert.Equal("ASH1029", OneError(Load()).Code);
    }

    [Fact]
    public void The_stack_file_stands_above_the_Procfile()
    {
        Folder.Write("Procfile", "web: from-procfile\nworker: from-procfile\nclock: from-procfile\nrelease: from-procfile\n");
        var stack = Valid("services: {web: {instances: 2}, worker: {run: from-yaml}}");

        Assert.Equal([("web", "from-procfile", 2), ("worker", "from-yaml", 1)], stack.Services.Select(s => (s.Name, s.Run, s.Instances)));
        Assert.Equal("from-procfile", stack.Release);
    }

    [Fact]
    public void A_stack_file_without_services_takes_the_Procfiles()
    {
        Folder.Write("Procfile", "web: x\n");

        Assert.Equal("x", Valid("edge: {listen: 80}\n").Services[0].Run);
    }

    [Fact]
    public void App_json_gives_variables_quantities_and_add_ons()
    {
        Folder.Write("Procfile", "web: x\nworker: y\n");
        Folder.Write("app.json", """
            {
              "name": "Any name",
              "env": {
                "PLAIN": "1",
                "MAP": {"description": "d", "value": "2"},
                "SECRET": {"generator": "secret"},
                "OPTIONAL": {"required": false},
                "FROM_ENV": {"required": true}
              },
              "formation": {"worker": {"quantity": 3, "size": "standard-1x"}},
              "addons": ["heroku-postgresql:mini", {"plan": "heroku-redis:mini", "as": "CACHE"}, "heroku-postgresql:x"],
              "buildpacks": []
            }
            """);
        Folder.Write(".env", "FROM_ENV=x\n");
        var stack = WithoutDiagnostics(Load());

        Assert.Equal([("MAP", "2"), ("PLAIN", "1")], stack.Env.Select(e => (e.Key, e.Value)));
        Assert.Equal(["SECRET"], stack.GeneratedVariables.ToArray());
        Assert.Equal([1, 3], stack.Services.Select(s => s.Instances));
        Assert.Equal(["heroku-postgresql", "heroku-redis"], stack.AddOns.ToArray());
        Assert.Empty(stack.RequiredVariables);
    }

    [Fact]
    public void App_jsons_variables_stand_below_the_stack_files()
    {
        Folder.Write("app.json", """{"env": {"A": "app", "B": "app"}}""");
        var stack = Valid("env: {A: yaml}\nservices: {web: {run: x}}");

        Assert.Equal(("yaml", "app"), (stack.Env["A"], stack.Env["B"]));
    }

    [Fact]
    public void App_json_says_what_is_missing_and_what_is_not_used()
    {
        Folder.Write("Procfile", "web: x\n");
        Folder.Write("app.json", "{\n  \"env\": {\"KEY\": {\"description\": \"d\"}},\n  \"scripts\": {\"postdeploy\": \"x\"}\n}");
        var result = Load();

        Assert.Equal(["KEY"], result.Stack!.RequiredVariables.ToArray());
        Assert.Equal(["2:11 ASH1032", "3:15 ASH1031"], result.Diagnostics.Select(Place));
    }

    [Fact]
    public void An_add_on_that_is_no_tier_is_noted_with_what_to_do_instead()
    {
        Folder.Write("Procfile", "web: x\n");
        Folder.Write("app.json", """{"addons": ["heroku-postgresql", "scheduler:standard", {"plan": "sendgrid:starter"}]}""");
        var result = Load();

        Assert.Equal(["1:34 ASH1031", "1:65 ASH1031"], result.Diagnostics.Select(Place));
        Assert.Contains("schedule", result.Diagnostics[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("the add-on sendgrid is not used", result.Diagnostics[1].ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "0:0 ASH1020")]
    [InlineData("{\n  \"env\": {},\n}", "3:1 ASH1027")]
    [InlineData("{\"é\": 1, x}", "1:11 ASH1027")]
    [InlineData("[]", "1:1 ASH1005")]
    [InlineData("{\"env\": []}", "1:9 ASH1005")]
    [InlineData("{\"env\": {\"a b\": \"\"}}", "1:10 ASH1019")]
    [InlineData("{\"env\": {}, \"env\": {}}", "1:13 ASH1004")]
    [InlineData("{\"formation\": {\"web\": {\"quantity\": \"two\"}}}", "1:36 ASH1006")]
    [InlineData("{\"addons\": {}}", "1:12 ASH1005")]
    [InlineData("{\"addons\": [\"memcachier\", {}]}", "1:27 ASH1005")]
    [InlineData("{\"a\": \"\\ud800\"}", "1:7 ASH1027")]
    [InlineData("{\"a\": \"\\u0000\"}", "1:7 ASH1027")]
    public void App_jsons_mistakes_have_their_place(string json, string place)
    {
        Folder.Write("Procfile", "web: x\n");
        Folder.Write("app.json", json);

        Assert.Equal(place, Place(OneError(Load())));
    }
}
