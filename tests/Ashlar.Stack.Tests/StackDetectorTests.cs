namespace Ashlar.Stack.Tests;

/// <summary>What is proposed for a folder loads again without a word.</summary>
public sealed class StackDetectorTests : StackTest
{
    private StackDefinition Detected(string kind)
    {
        var detected = StackDetector.Look(Folder.Path);
        Assert.NotNull(detected);
        Assert.Equal(kind, detected.Kind);
        Assert.NotEmpty(detected.Reasons);
        Assert.All(detected.Reasons, r => Assert.Contains(r, detected.Text));
        return Valid(detected.Text);
    }

    [Fact]
    public void Beside_an_app_json_its_formation_is_kept()
    {
        Folder.Write("Procfile", "web: ./web\nworker: ./work\nclock: ./tick\n");
        Folder.Write("app.json", """{"formation": {"web": {"quantity": 2, "size": "standard-1x"}, "worker": {"quantity": 3}}}""");
        Assert.Equal([2, 3, 1], Detected("Procfile").Services.Select(s => s.Instances));
    }

    [Fact]
    public void A_Procfile_keeps_its_commands()
    {
        Folder.Write("Procfile", "web: ./web\nworker: ./work --all\n");
        Folder.Write("app.py", "");

        Assert.Equal(["./web", "./work --all"], Detected("Procfile").Services.Select(s => s.Run));
    }

    [Fact]
    public void Django_with_gunicorn_is_migrated_and_run()
    {
        Folder.Write("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')");
        Folder.Write("requirements.txt", "Django==5.2\ngunicorn==23.0\n");
        var stack = Detected("Django");

        Assert.Equal(".venv/bin/gunicorn shop.wsgi --bind 127.0.0.1:$PORT", stack.Services[0].Run);
        Assert.Equal("python3 -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt", stack.Services[0].Build);
        Assert.Equal(".venv/bin/python manage.py migrate --noinput", stack.Release);
    }

    [Theory]
    [InlineData("import flask\n\napi = flask.Flask(__name__)\n", "flask", "Flask", ".venv/bin/flask --app app:api run --host 127.0.0.1 --port $PORT")]
    [InlineData("app = Flask(__name__)\n", "flask\ngunicorn\n", "Flask", ".venv/bin/gunicorn app:app --bind 127.0.0.1:$PORT")]
    [InlineData("app = FastAPI()\n", "fastapi\nuvicorn\n", "FastAPI", ".venv/bin/uvicorn app:app --host 127.0.0.1 --port $PORT")]
    [InlineData("print()\n", "requests", "Python", ".venv/bin/python -u app.py")]
    [InlineData("print()\n", null, "Python", "python3 -u app.py")]
    public void Python_is_run_by_what_it_is_made_with(string source, string? requirements, string kind, string run)
    {
        Folder.Write("app.py", source);
        if (requirements is not null)
        {
            Folder.Write("requirements.txt", requirements);
        }

        Assert.Equal(run, Detected(kind).Services[0].Run);
    }

    [Theory]
    [InlineData("""{"scripts": {"start": "node server.js"}}""", "node server.js", null)]
    [InlineData("""{"scripts": {"start": "next start -p $PORT", "build": "next build"}, "dependencies": {"next": "1"}}""", "npm start --silent", "npm ci && npm run build")]
    [InlineData("""{"main": "server.js"}""", "node server.js", null)]
    [InlineData("""{}""", "node server.js", null)]
    public void Node_is_run_by_its_start_script_or_main_file(string package, string run, string? build)
    {
        Folder.Write("package.json", package);
        Folder.Write("package-lock.json", "{}");
        Folder.Write("server.js", "");
        var web = Detected("Node").Services[0];

        Assert.Equal((run, build), (web.Run, web.Build));
    }

    [Fact]
    public void Several_web_projects_are_several_services()
    {
        Folder.Write("src/Shop.Admin/Shop.Admin.csproj", "<Project Sdk=\"Microsoft.NET.Sdk.Web\"></Project>");
        Folder.Write("src/Shop.Web/Shop.Web.csproj", "<Project Sdk=\"Microsoft.NET.Sdk.Web\"></Project>");
        Folder.Write("src/Shop Jobs/Jobs.csproj", "<Project Sdk=\"Microsoft.NET.Sdk.Worker\"><AssemblyName>Shop.Jobs</AssemblyName></Project>");
        Folder.Write("src/Shop.Core/Shop.Core.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\"></Project>");
        Folder.Write("tests/T/T.csproj", "<Project Sdk=\"Microsoft.NET.Sdk.Web\"></Project>");
        var services = Detected("C#").Services;

        Assert.Equal(["web", "admin", "jobs"], services.Select(s => s.Name));
        Assert.Equal("dotnet publish src/Shop.Web/Shop.Web.csproj -c Release -o out/web", services[0].Build);
        Assert.Equal("dotnet out/web/Shop.Web.dll --urls http://127.0.0.1:$PORT", services[0].Run);
        Assert.Equal("dotnet publish 'src/Shop Jobs/Jobs.csproj' -c Release -o out/jobs", services[2].Build);
        Assert.Equal([ServiceInterface.Http, ServiceInterface.Http, ServiceInterface.None], services.Select(s => s.Interface));
    }

    [Theory]
    [InlineData("index.php", "PHP", "php -S 127.0.0.1:$PORT -t .")]
    [InlineData("public/index.php", "PHP", "php -S 127.0.0.1:$PORT -t public")]
    [InlineData("index.html", "static", "python3 -m http.server $PORT --bind 127.0.0.1")]
    [InlineData("public/index.html", "static", "python3 -m http.server $PORT --bind 127.0.0.1 --directory public")]
    public void Pages_are_served(string file, string kind, string run)
    {
        Folder.Write(file, "");

        Assert.Equal(run, Detected(kind).Services[0].Run);
    }

    [Fact]
    public void Nothing_is_proposed_for_nothing()
    {
        Folder.Write("notes.txt", "x");
        Folder.Write("package.json", "{broken");

        Assert.Null(StackDetector.Look(Folder.Path));
    }

    [Theory]
    [InlineData("node server.js")]
    [InlineData("a 'b' \"c\"")]
    [InlineData("a: b # c")]
    [InlineData("- a")]
    [InlineData("a && b || c; d > e")]
    [InlineData("{a}")]
    [InlineData("null")]
    [InlineData("a http://127.0.0.1:$PORT/x:y")]
    public void Any_command_survives_being_written(string command)
    {
        var text = new StackWriter(Folder.Path, "x", []).Service("web", ("run", command)).Finish(command);

        Assert.Equal((command, command), (Valid(text).Services[0].Run, Valid(text).Release));
    }
}
