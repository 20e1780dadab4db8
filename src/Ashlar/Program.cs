using Ashlar;
using Ashlar.Agents;
using Ashlar.Output;
using Microsoft.Win32.SafeHandles;

// A tier must start fast: nothing of the command line is touched for it.
if (TierHost.Serves(args))
{
    return await TierHost.RunAsync(args[0], args[1..]);
}

return await CommandLine.RunAsync(
    new Cli
    {
        Out = Screen.OfDescriptor(1, Environment.GetEnvironmentVariable),
        Error = Screen.OfDescriptor(2, Environment.GetEnvironmentVariable),
        In = () => new StreamReader(new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, 1)),
        Interactive = Terminal.Is(0) && Terminal.Is(2),
        Agents = new RunningAgents(Environment.ProcessPath!),
        Folder = Environment.CurrentDirectory,
    },
    args);
