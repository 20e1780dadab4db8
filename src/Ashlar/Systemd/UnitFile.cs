using System.Text;
using Ashlar.Processes;

namespace Ashlar.Systemd;

/// <summary>The systemd unit that keeps a stack's agent running from boot on.</summary>
/// <param name="Stack">Name of the stack.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Program">Absolute path of the program.</param>
/// <param name="OfSystem">True: the machine's; false: the user's own.</param>
/// <param name="RuntimeRoot">Folder of the .NET that the program needs and would not find by itself; null: none.</param>
/// <param name="SearchPath">PATH of the agent, which builds and services inherit; null: systemd's own.</param>
internal sealed record UnitFile(string Stack, string Folder, string Program, bool OfSystem, string? RuntimeRoot = null, string? SearchPath = null)
{
    /// <summary>Name of the unit.</summary>
    public string Name => $"ashlar-{Stack}.service";

    /// <summary>Where it belongs.</summary>
    /// <param name="home">Home folder of the user.</param>
    public string PathIn(string home) => OfSystem
        ? System.IO.Path.Combine("/etc/systemd/system", Name)
        : System.IO.Path.Combine(home, ".config/systemd/user", Name);

    /// <summary>The text of the file.</summary>
    public string Render() => $"""
        # Written by: ashlar service install
        [Unit]
        Description=Stack {Percent(Stack)} (Ashlar)
        Wants=network-online.target
        After=network-online.target
        StartLimitIntervalSec=0

        [Service]
        Type=notify
        NotifyAccess=main
        WorkingDirectory={Percent(Folder)}{Environment()}
        ExecStart={Quote(Program)} agent --stack {Quote(Folder)}
        ExecReload={Quote(Program)} up --detach --stack {Quote(Folder)}
        ExecStop={Quote(Program)} down --stack {Quote(Folder)}
        # The agent is started again if it ends or hangs; what it supervises goes on meanwhile and is adopted.
        Restart=always
        RestartSec=1
        WatchdogSec=30
        KillMode=process
        TimeoutStartSec=120
        TimeoutStopSec=120
        # Limits and accounting of each instance.
        Delegate=yes
        LimitNOFILE=1048576
        TasksMax=infinity

        [Install]
        WantedBy={(OfSystem ? "multi-user.target" : "default.target")}

        """;

    private string Environment()
    {
        var variables = ChildEnvironment.SmallProcess;
        variables = RuntimeRoot is null ? variables : variables.Add("DOTNET_ROOT", RuntimeRoot);
        variables = SearchPath is null ? variables : variables.Add("PATH", SearchPath);
        return string.Concat(variables.Select(v => $"\nEnvironment={Quote($"{v.Key}={v.Value}", command: false)}"));
    }

    // systemd expands % and splits words; $ is a variable in commands.
    private static string Quote(string text, bool command = true)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in Percent(text))
        {
            if (c is '"' or '\\') quoted.Append('\\');
            quoted.Append(c);
            if (c == '$' && command) quoted.Append('$');
        }

        return quoted.Append('"').ToString();
    }

    private static string Percent(string text) => text.Replace("%", "%%");
}
