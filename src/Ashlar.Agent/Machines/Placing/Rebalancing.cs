using System.Collections.Immutable;
using System.Diagnostics;
using Ashlar.Agent.Supervision;
using Ashlar.Fleet;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Machines;

/// <summary>Has what runs spread over the machines anew, by order: nothing moves only for that by itself. The leader does.</summary>
internal static class Rebalancing
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    /// <summary>Says what has to move and, if that is wanted, writes it down: from then on it moves as all that moves, make before break.</summary>
    /// <exception cref="Errors.AshlarException">ASH7532: more than half of the machines are silent; ASH7512: this machine has ceased to lead.</exception>
    public static async Task<ImmutableArray<PlacementMove>> PlaceAsync(FleetLink fleet, Target target, bool dryRun)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Patience;)
        {
            var changed = fleet.Changed;
            var view = fleet.View;
            var (placement, moves) = FleetPlacement.Spread(view, target, Stopwatch.GetTimestamp()) ?? throw FleetErrors.Frozen();
            if (dryRun || moves.IsEmpty || await fleet.SavePlacementAsync(placement, view.PlacementRevision))
            {
                return moves;
            }

            // What we see is not what is written by now: we are about to be told.
            await Task.WhenAny(changed, Task.Delay(Again));
        }

        throw FleetErrors.NoLeader();
    }

    /// <summary>Waits until all has moved.</summary>
    /// <exception cref="Errors.AshlarException">What does not become healthy where it was to go; it serves on where it was.</exception>
    public static async Task MovedAsync(FleetLink fleet, ImmutableArray<PlacementMove> moves, Action<string> tell, CancellationToken cancellation)
    {
        while (!moves.IsEmpty)
        {
            var changed = fleet.Changed;
            var view = fleet.View;
            Draining.RequireNoFailure(view, [.. moves.Select(move => move.Instance)]);
            foreach (var move in moves)
            {
                var isMeant = view.Placement?.Machines.GetValueOrDefault(move.Instance) == move.To;
                if (!isMeant || Draining.HasMoved(view, move.Instance, move.From))
                {
                    tell(isMeant ? $"{move.Instance} runs on {move.To}" : $"{move.Instance} was ordered otherwise meanwhile");
                    moves = moves.Remove(move);
                }
            }

            await (moves.IsEmpty ? Task.CompletedTask : changed.WaitAsync(cancellation));
        }
    }
}
