using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;

namespace Ashlar.Dashboard.Live;

/// <summary>
/// Learns from the agent what runs, as it changes, while somebody wants to know. While no agent answers, the last that was said stands,
/// with the time at which it was.
/// </summary>
/// <param name="socket">The stack's <c>watch.sock</c>.</param>
/// <param name="time">Clock.</param>
internal sealed class TreeWatch(string socket, TimeProvider time)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    // The agent says something each second; one that is stopped or hangs keeps its socket open.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Interest = TimeSpan.FromSeconds(15);
    private readonly Lock _lock = new();
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _wantedAt = time.GetTimestamp();
    private volatile Seen _last = new(null, DateTimeOffset.MinValue, false);

    /// <summary>What was said last.</summary>
    public Seen Last => _last;

    /// <summary>True: what was said last is of now, or it is known that no agent answers.</summary>
    public bool IsKnown => Volatile.Read(ref _known).Task.IsCompleted;

    /// <summary>
    /// Somebody looks: it watches for the next seconds. Each report costs the agent and this process something, so nobody asks for
    /// them while nobody looks.
    /// </summary>
    /// <returns>Completed when <see cref="IsKnown"/>.</returns>
    public Task WantAsync()
    {
        lock (_lock)
        {
            Volatile.Write(ref _wantedAt, time.GetTimestamp());
            _wake.TrySetResult();
            return _known.Task;
        }
    }

    /// <summary>Watches, while it is wanted, until cancelled.</summary>
    /// <param name="changed">Called when something else is to be shown.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(Action changed, CancellationToken cancellation)
    {
        var pause = ShortestPause;
        while (!cancellation.IsCancellationRequested)
        {
            var unwanted = false;
            try
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                patience.CancelAfter(LongestSilence);
                using var stream = FrameStream.Connect(socket);
                // Reading of a stream is ended by closing it.
                await using var closing = patience.Token.Register(stream.Dispose);
                await stream.SendAsync(new AgentRequest("watch", JsonElement.Parse("{}")), WatchJson.Default.AgentRequest, cancellation);
                while (!unwanted
                    && await stream.ReadAsync(WatchJson.Default.AgentReply, cancellation) is { Kind: AgentReplyKinds.Data or AgentReplyKinds.Progress } reply)
                {
                    patience.CancelAfter(LongestSilence);
                    if (reply.Data?.Deserialize(WatchJson.Default.StatusReport) is { } report)
                    {
                        pause = ShortestPause;
                        var before = IsKnown ? _last : null;
                        _last = new Seen(report, time.GetUtcNow(), true);
                        _known.TrySetResult();

                        // Figures alone are shown with the next second's.
                        if (before?.Connected != true || before.Report is not { } old || !SameStates(old, report))
                        {
                            changed();
                        }
                    }

                    unwanted = !IsWanted;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or UntrustedPeerException or JsonException
                or OperationCanceledException or ObjectDisposedException or Errors.AshlarException)
            {
                // No agent, or one that is being replaced.
            }

            if (unwanted || !IsWanted)
            {
                await RestAsync(cancellation);
                continue;
            }

            if (_last.Connected || !IsKnown)
            {
                _last = _last with { Connected = false };
                _known.TrySetResult();
                changed();
            }

            await Task.Delay(pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private bool IsWanted => time.GetElapsedTime(Volatile.Read(ref _wantedAt)) < Interest;

    private async Task RestAsync(CancellationToken cancellation)
    {
        TaskCompletionSource wake;
        lock (_lock)
        {
            _known.TrySetResult();
            Volatile.Write(ref _known, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            if (IsWanted)
            {
                return;
            }

            wake = _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        await wake.Task.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static bool SameStates(StatusReport a, StatusReport b) =>
        a.Healthy == b.Healthy && a.Activity == b.Activity && a.Release == b.Release && States(a).SequenceEqual(States(b));

    private static IEnumerable<(string, InstanceState, DateTimeOffset?, string)> States(StatusReport report) =>
        report.Tiers.SelectMany(tier => tier.Services).SelectMany(service => service.Instances).Select(i => (i.Name, i.State, i.Started, i.Detail));

    /// <summary>What the agent said.</summary>
    /// <param name="Report">Null: nothing yet.</param>
    /// <param name="At">When.</param>
    /// <param name="Connected">False: it answers no more.</param>
    public sealed record Seen(StatusReport? Report, DateTimeOffset At, bool Connected);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(AgentRequest))]
[JsonSerializable(typeof(AgentReply))]
[JsonSerializable(typeof(StatusReport))]
internal sealed partial class WatchJson : JsonSerializerContext;
