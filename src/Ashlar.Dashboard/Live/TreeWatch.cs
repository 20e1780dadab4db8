using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;

namespace Ashlar.Dashboard.Live;

/// <summary>
/// Learns from the agent what runs, as it changes. While no agent answers, the last that was said stands, with the time at which it was.
/// </summary>
/// <param name="socket">The stack's <c>watch.sock</c>.</param>
/// <param name="time">Clock.</param>
internal sealed class TreeWatch(string socket, TimeProvider time)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private volatile Seen _last = new(null, DateTimeOffset.MinValue, false);

    /// <summary>What was said last.</summary>
    public Seen Last => _last;

    /// <summary>Watches until cancelled.</summary>
    /// <param name="changed">Called when something else is to be shown.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(Action changed, CancellationToken cancellation)
    {
        var pause = ShortestPause;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                using var stream = FrameStream.Connect(socket);
                // Reading of a stream is ended by closing it.
                await using var closing = cancellation.Register(stream.Dispose);
                await stream.SendAsync(new AgentRequest("watch", JsonElement.Parse("{}")), WatchJson.Default.AgentRequest, cancellation);
                while (await stream.ReadAsync(WatchJson.Default.AgentReply, cancellation) is { Kind: AgentReplyKinds.Data or AgentReplyKinds.Progress } reply)
                {
                    if (reply.Data?.Deserialize(WatchJson.Default.StatusReport) is { } report)
                    {
                        pause = ShortestPause;
                        var before = _last;
                        _last = new Seen(report, time.GetUtcNow(), true);

                        // Figures alone are shown with the next second's.
                        if (!before.Connected || before.Report is not { } old || !SameStates(old, report))
                        {
                            changed();
                        }
                    }
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or UntrustedPeerException or JsonException
                or OperationCanceledException or ObjectDisposedException or Errors.AshlarException)
            {
                // No agent, or one that is being replaced.
            }

            if (_last.Connected)
            {
                _last = _last with { Connected = false };
                changed();
            }

            await Task.Delay(pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
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
