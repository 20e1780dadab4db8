using System.Diagnostics;
using System.Globalization;
using System.Net;
using Ashlar.Processes;

namespace Ashlar.Engines.Preparing;

/// <summary>What is checked before any engine starts: each mistake has its own error instead of an engine's last words.</summary>
internal static class Preparation
{
    private const string MoreFolders = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private static readonly TimeSpan _timeToAnswer = TimeSpan.FromSeconds(5);

    // What the engine gets of our environment: its own tags, and what every program may expect.
    private static readonly string[] _kept =
        ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PORT", "ASHLAR_INSTANCE", "ASHLAR_INSTANCE_ID"];

    /// <summary>Path of the first of these programs that is on the PATH or where system programs lie.</summary>
    /// <exception cref="Errors.AshlarException">ASH7101.</exception>
    public static string Program(EngineOrder order, IReadOnlyList<string> names, string package) =>
        Find(order.SearchPath, names) ?? throw EngineErrors.ProgramMissing(order.Tier, string.Join(" or ", names), package);

    /// <summary>Path of the first of these programs, or null.</summary>
    /// <param name="path">A PATH.</param>
    /// <param name="names">In order of preference.</param>
    public static string? Find(string path, IReadOnlyList<string> names) => names
        .SelectMany(name => $"{path}:{MoreFolders}".Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    /// <summary>What a program says to <c>--version</c>.</summary>
    /// <exception cref="Errors.AshlarException">ASH7116.</exception>
    public static async Task<string> SayVersionAsync(EngineOrder order, string program)
    {
        using var patience = new CancellationTokenSource(_timeToAnswer);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, ["--version"]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
            process.StandardInput.Close();
            try
            {
                return await process.StandardOutput.ReadToEndAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw EngineErrors.NotRunnable(order.Tier, program, $"it has not told its version within {_timeToAnswer.TotalSeconds:0} s");
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw EngineErrors.NotRunnable(order.Tier, program, e.Message);
        }
    }

    /// <summary>Refuses memory that an engine cannot work with, or that the machine does not have.</summary>
    /// <exception cref="Errors.AshlarException">ASH7103, ASH7104.</exception>
    public static void Memory(EngineOrder order, long machine)
    {
        if (order.Memory < Engine.LeastMemory)
        {
            throw EngineErrors.MemoryTooSmall(order.Tier, order.Instance, order.Memory, Engine.LeastMemory);
        }

        if (order.Memory > machine)
        {
            throw EngineErrors.MemoryTooLarge(order.Tier, order.Instance, order.Memory, machine);
        }
    }

    /// <summary>All memory of the machine in bytes.</summary>
    public static long MachineMemory()
    {
        var line = File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemTotal:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }

    /// <summary>Refuses a port that another program has.</summary>
    /// <exception cref="Errors.AshlarException">ASH7106.</exception>
    public static void Port(EngineOrder order)
    {
        var address = IPAddress.Parse(Engine.Address);
        if (!PortAllocator.CanBind(address, order.Port))
        {
            throw EngineErrors.PortTaken(order.Tier, order.Instance, order.Port, PortOwner.Find(address, order.Port)?.ToString() ?? "another program");
        }
    }

    /// <summary>Becomes the engine; returns only by throwing. Our secrets are not in its environment.</summary>
    /// <exception cref="Errors.AshlarException">ASH2010.</exception>
    public static void Become(EngineOrder order, string program, params IEnumerable<string> arguments)
    {
        var environment = _kept.Select(name => (Name: name, Value: Environment.GetEnvironmentVariable(name)))
            .Where(variable => variable.Value is not null).ToDictionary(variable => variable.Name, variable => variable.Value!, StringComparer.Ordinal);
        ExecInPlace.Run(program, [program, .. arguments], environment, Directory.Exists(order.Folder) ? order.Folder : null);
    }
}
