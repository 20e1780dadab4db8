using System.Collections.Immutable;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Errors;
using Ashlar.Output;

namespace Ashlar.Logs;

/// <summary>What instances on the other machines of the stack have written, and write. A machine that cannot be asked keeps nobody from reading the rest.</summary>
/// <param name="others">The other machines.</param>
/// <param name="question">Which lines: arguments of <c>logs</c>.</param>
/// <param name="missing">Told of a machine that does not answer.</param>
internal sealed class RemoteLogs(OtherMachines others, ImmutableArray<string> question, Action<AshlarError> missing)
{
    private readonly Channel<InstanceLine> _new = Channel.CreateUnbounded<InstanceLine>();

    /// <summary>What a machine writes between the lines that were there and those that come.</summary>
    public static LogEntry Boundary { get; } = new("", "", null);

    /// <summary>The lines there are, each log's by itself and oldest first. Those that come are told by <see cref="FollowAsync"/> until this is cancelled.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<InstanceLine>>> LastAsync(CancellationToken cancellation)
    {
        var all = others.All.Select(machine => new OfMachine()).ToArray();
        var asking = Task.WhenAll(others.All.Zip(all, (machine, lines) => AskAsync(machine, lines, cancellation)));
        _ = asking.ContinueWith(_ => _new.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await Task.WhenAny(asking, Task.WhenAll(all.Select(machine => machine.Told.Task)));
        return [.. all.SelectMany(machine => machine.Lines).GroupBy(line => line.Instance).Select(log => LineTime.Complete([.. log], null, DateTimeOffset.MinValue).ToList())];
    }

    /// <summary>Hands out what they write from then on.</summary>
    public async Task FollowAsync(Action<InstanceLine> show, CancellationToken cancellation)
    {
        try
        {
            await foreach (var line in _new.Reader.ReadAllAsync(cancellation)) show(line);
        }
        catch (OperationCanceledException)
        {
            // the view ends
        }
    }

    private async Task AskAsync(MachineLine machine, OfMachine lines, CancellationToken cancellation)
    {
        var pipe = new Pipe();
        var reading = ReadAsync(machine.Name, pipe.Reader.AsStream(), lines);
        try
        {
            await others.RunAsync(machine, ["logs", "--json", .. question], pipe.Writer.AsStream(), Stream.Null, cancellation);
        }
        catch (AshlarException e)
        {
            missing(e.Error);
        }
        catch (OperationCanceledException)
        {
            // the view ends
        }
        finally
        {
            await pipe.Writer.CompleteAsync();
            await reading;
            lines.Told.TrySetResult();
        }
    }

    private async Task ReadAsync(string machine, Stream from, OfMachine lines)
    {
        using var reader = new StreamReader(from, Encoding.UTF8);
        while (await reader.ReadLineAsync(CancellationToken.None) is { } text)
        {
            if (JsonSerializer.Deserialize(text, LineJson.Default.LogEntry) is not { } entry) continue;
            var time = DateTimeOffset.TryParse(entry.Time, CultureInfo.InvariantCulture, out var at) ? at : (DateTimeOffset?)null;
            var line = new InstanceLine($"{entry.Instance}@{machine}", entry.Text, time);
            if (entry == Boundary) lines.Told.TrySetResult();
            else if (lines.Told.Task.IsCompleted) _new.Writer.TryWrite(line);
            else lines.Lines.Add(line);
        }
    }

    private sealed class OfMachine
    {
        public List<InstanceLine> Lines { get; } = [];

        /// <summary>Done: what was there is all told.</summary>
        public TaskCompletionSource Told { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
