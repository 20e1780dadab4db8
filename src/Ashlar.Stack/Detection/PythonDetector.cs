using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>Django, Flask, FastAPI, and Python programs that listen to PORT themselves.</summary>
internal static partial class PythonDetector
{
    private static readonly string[] Mains = ["app.py", "main.py", "server.py", "web.py", "wsgi.py"];

    public static DetectedStack? Look(string folder)
    {
        var requirements = StackDetector.Text(folder, "requirements.txt");
        var project = StackDetector.Text(folder, "pyproject.toml");
        var manage = StackDetector.Text(folder, "manage.py");
        var main = Array.Find(Mains, m => File.Exists(Path.Combine(folder, m)));
        if (manage is null && main is null)
        {
            return null;
        }

        var source = main is null ? "" : StackDetector.Text(folder, main) ?? "";
        var needs = $"{requirements}\n{project}";
        var reasons = new List<string>();
        var build = Build(requirements, project, reasons);
        var bin = build is null ? "" : ".venv/bin/";
        var (kind, run, release) = manage is not null
            ? Django(manage, needs, bin, reasons)
            : Program(main!, source, needs, bin, reasons);
        (string, string)[] keys = build is null ? [("run", run), ("route", "/")] : [("build", build), ("run", run), ("route", "/")];
        var text = new StackWriter(folder, kind, reasons).Service("web", keys).Hints().Finish(release);
        return new DetectedStack(kind, text, [.. reasons]);
    }

    private static string? Build(string? requirements, string? project, List<string> reasons)
    {
        var what = requirements is not null ? "-r requirements.txt" : project?.Contains("[project]") == true ? "." : null;
        if (what is null)
        {
            return null;
        }

        reasons.Add($"{(requirements is null ? "pyproject.toml" : "requirements.txt")} is installed into a virtual environment of each release.");
        return $"python3 -m venv .venv && .venv/bin/pip install --quiet {what}";
    }

    private static (string Kind, string Run, string? Release) Django(string manage, string needs, string bin, List<string> reasons)
    {
        reasons.Add("manage.py: a Django project; its migrations run once per release.");
        var migrate = $"{bin}{Python(bin)} manage.py migrate --noinput";
        var module = Settings().Match(manage);
        if (Needs(needs, "gunicorn") && module.Success)
        {
            return ("Django", $"{bin}gunicorn {module.Groups["package"].Value}.wsgi --bind 127.0.0.1:$PORT", migrate);
        }

        reasons.Add("gunicorn is not among the requirements, so Django's development server runs: add gunicorn for production.");
        return ("Django", $"{bin}{Python(bin)} manage.py runserver --noreload 127.0.0.1:$PORT", migrate);
    }

    private static (string Kind, string Run, string? Release) Program(
        string main, string source, string needs, string bin, List<string> reasons)
    {
        var module = Path.GetFileNameWithoutExtension(main);
        var match = Application().Match(source);
        if (!match.Success)
        {
            reasons.Add($"{main} is run as a program; it must listen on 127.0.0.1 and the port in PORT.");
            return ("Python", $"{bin}{Python(bin)} -u {main}", null);
        }

        var name = match.Groups["name"].Value;
        if (match.Groups["framework"].Value == "FastAPI")
        {
            reasons.Add($"{main} makes a FastAPI application called {name}.");
            return ("FastAPI", $"{bin}uvicorn {module}:{name} --host 127.0.0.1 --port $PORT", null);
        }

        reasons.Add($"{main} makes a Flask application called {name}.");
        if (Needs(needs, "gunicorn"))
        {
            return ("Flask", $"{bin}gunicorn {module}:{name} --bind 127.0.0.1:$PORT", null);
        }

        reasons.Add("gunicorn is not among the requirements, so Flask's development server runs: add gunicorn for production.");
        return ("Flask", $"{bin}flask --app {module}:{name} run --host 127.0.0.1 --port $PORT", null);
    }

    /// <summary>A virtual environment has python, the system only python3.</summary>
    private static string Python(string bin) => bin.Length == 0 ? "python3" : "python";

    private static bool Needs(string needs, string package) =>
        Regex.IsMatch(needs, $@"(^|[""'\s]){package}\b", RegexOptions.IgnoreCase | RegexOptions.Multiline, TimeSpan.FromSeconds(1));

    [GeneratedRegex(@"DJANGO_SETTINGS_MODULE['""]\s*,\s*['""](?<package>[A-Za-z_][A-Za-z0-9_]*)\.", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Settings();

    [GeneratedRegex(@"^(?<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*([a-z]+\.)?(?<framework>Flask|FastAPI)\(", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Application();
}
