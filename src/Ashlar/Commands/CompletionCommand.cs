using System.CommandLine;
using System.Text;

namespace Ashlar.Commands;

/// <summary><c>ashlar completion</c>: verbs and options for the Tab key, written out whole so that a completion starts no process.</summary>
internal static class CompletionCommand
{
    public static Verb Verb { get; } = new("completion", VerbGroup.Settings, "Print what lets bash, zsh or fish complete verbs and options", Create,
        "source <(ashlar completion bash)", "source <(ashlar completion zsh)", "ashlar completion fish | source");

    private static Command Create(Cli cli)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        return VerbCall.Command(cli, Verb, [shell], (call, _) =>
        {
            cli.Out.Write(call.Value(shell) switch
            {
                "bash" => Bash(cli),
                "zsh" => "autoload -U +X bashcompinit && bashcompinit\n" + Bash(cli),
                "fish" => Fish(cli),
                var other => throw CliErrors.Usage("completion", $"'{other}' is none of bash, zsh and fish."),
            });
            return Task.FromResult(ExitCodes.Ok);
        }, json: false);
    }

    private static string Bash(Cli cli)
    {
        var text = new StringBuilder("_ashlar() {\n  local word=${COMP_WORDS[COMP_CWORD]} words\n  COMPREPLY=()\n");
        text.Append("  if [ \"$COMP_CWORD\" = 1 ]; then words='").AppendJoin(' ', Verbs.All.Select(verb => verb.Name)).Append("'\n");
        text.Append("  else case ${COMP_WORDS[1]} in\n");
        foreach (var verb in Verbs.All) text.Append("    ").Append(verb.Name).Append(") words='").AppendJoin(' ', Words(cli, verb)).Append("' ;;\n");
        return text.Append("  esac; fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\ncomplete -o default -F _ashlar ashlar\n").ToString();
    }

    private static string Fish(Cli cli)
    {
        var text = new StringBuilder();
        foreach (var verb in Verbs.All)
        {
            text.Append($"complete -c ashlar -n __fish_use_subcommand -a {verb.Name} -d '{verb.Summary.Replace("'", "\\'")}'\n");
            text.Append($"complete -c ashlar -n '__fish_seen_subcommand_from {verb.Name}' -a '{string.Join(' ', Words(cli, verb))}'\n");
        }

        return text.ToString();
    }

    private static IEnumerable<string> Words(Cli cli, Verb verb)
    {
        var command = CommandLine.Create(cli, verb);
        return command.Subcommands.Select(second => second.Name).Concat(command.Options.Select(option => option.Name));
    }
}
