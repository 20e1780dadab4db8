using System.Text;
using System.Text.RegularExpressions;
using Ashlar.Output;
using Ashlar.Testing;

namespace Ashlar;

/// <summary>Holds <c>docs/cli.md</c> and the program together; <c>ASHLAR_WRITE_DOCS=1</c> brings the page up to date.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Page = Path.Combine(Checkout.Root, "docs/cli.md");

    private static readonly Dictionary<int, string> Meanings = new()
    {
        [ExitCodes.Ok] = "done",
        [ExitCodes.Failed] = "it failed, and no other code says why better",
        [ExitCodes.Usage] = "the command line is wrong: unknown verb, option, value, target, release or variable name",
        [ExitCodes.StackInvalid] = "the stack file is missing, has mistakes, or asks for what cannot be",
        [ExitCodes.NotRunning] = "the stack does not run",
        [ExitCodes.Unhealthy] = "an instance is not healthy, or did not become so in time",
        [ExitCodes.Refused] = "refused: it would overwrite, delete or collide with something, or is not possible here",
        [ExitCodes.AgentUnreachable] = "the agent does not answer, or went away in the middle",
        [ExitCodes.NotReady] = "the machine lacks something that the stack needs; `doctor` says what",
        [ExitCodes.ProgramNotFound] = "`run` or `exec`: there is no such program",
        [ExitCodes.Interrupted] = "ended by Ctrl-C",
        [ExitCodes.BrokenPipe] = "whoever read the output has gone",
        [ExitCodes.Terminated] = "ended by SIGTERM",
    };

    [Fact]
    public void The_page_says_what_the_program_says()
    {
        var page = File.ReadAllText(Page);
        var expected = Fill(Fill(page, "exit codes", ExitCodeTable()), "verbs", VerbSections());
        if (Environment.GetEnvironmentVariable("ASHLAR_WRITE_DOCS") is { Length: > 0 }) File.WriteAllText(Page, expected);
        else Assert.Equal(expected, page);
    }

    [Fact]
    public void Every_verb_has_a_section_and_every_section_a_verb()
    {
        var sections = Heading().Matches(File.ReadAllText(Page)).Select(match => match.Groups["verb"].Value);
        Assert.Equal(Verbs.All.Select(verb => verb.Name).Order(), sections.Order());
    }

    [Fact]
    public void Exit_codes_are_all_different_and_all_have_names()
    {
        var constants = typeof(ExitCodes).GetFields().Where(field => field.IsLiteral).Select(field => (int)field.GetRawConstantValue()!).Order();
        Assert.Equal(constants, ExitCodes.All.Select(pair => pair.Code).Order());
        Assert.Equal(ExitCodes.All.Count, ExitCodes.All.DistinctBy(pair => pair.Code).Count());
        Assert.Equal(ExitCodes.All.Count, ExitCodes.All.DistinctBy(pair => pair.Name).Count());
    }

    private static string ExitCodeTable()
    {
        var text = new StringBuilder("| code | name | meaning | errors |\n|---|---|---|---|\n");
        foreach (var (code, name) in ExitCodes.All) text.Append($"| {code} | {name} | {Meanings[code]} | {ErrorsOf(code)} |\n");
        return text.ToString();
    }

    // ASH10 are all of a room, ASH1000 to ASH1099.
    private static string ErrorsOf(int code) => code == ExitCodes.Failed ? "all others"
        : string.Join(", ", ExitCodes.Errors.GetValueOrDefault(code, []).Select(error => error.Length == 7 ? error : $"{error}xx"));

    private static string VerbSections()
    {
        using var rig = new CliRig();
        var text = new StringBuilder();
        var cli = new Cli { Out = new Screen(TextWriter.Null), Error = new Screen(TextWriter.Null), In = () => TextReader.Null, Agents = rig.Agent, Folder = "/" };
        foreach (var verb in Verbs.All)
        {
            text.Append($"### {verb.Name}\n\n```\n{HelpText.OfVerb(cli.Out, verb, CommandLine.Create(cli, verb), common: false)}```\n\n");
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static string Fill(string page, string mark, string text)
    {
        var begin = page.IndexOf($"<!-- {mark} -->\n", StringComparison.Ordinal) + mark.Length + 10;
        var end = page.IndexOf("<!-- end -->", begin, StringComparison.Ordinal);
        return page[..begin] + text + page[end..];
    }

    [GeneratedRegex("^### (?<verb>.+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Heading();
}
