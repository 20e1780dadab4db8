using System.Diagnostics;
using Ashlar.Catalog;
using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs;

/// <summary>
/// Has the schema <c>ashlar</c> and the queues there as soon as the database is, so that a release command, which runs before anything of its release
/// does, may enqueue. The jobs process makes the same at its start, by the same code: whoever comes first makes it.
/// </summary>
public static class JobsPreparation
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(200);

    /// <summary>Makes what is not there yet. Takes nothing away: what the release before has goes on until this one runs.</summary>
    /// <param name="context">The release that comes, complete.</param>
    /// <param name="access">How the database is reached; null: there is none.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Errors.AshlarException">ASH3202: the database does not answer; ASH3204.</exception>
    public static async Task MakeAsync(PlanContext context, TierAccess? access, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!JobsPlan.IsWanted(context.Stack) || access is null)
        {
            return;
        }

        var settings = JobsPlan.Settings(context, access);
        for (var began = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                await using var connection = await Database.Of(settings).OpenAsync(cancellation);
                await Schema.ApplyAsync(connection, settings.App, cancellation);
                await ClaimStore.AddAsync(connection, settings.Queues, cancellation);
                return;
            }
            catch (Exception e) when (Database.IsOfTheServer(e))
            {
                if (Stopwatch.GetElapsedTime(began) > Patience)
                {
                    throw JobsErrors.Unreachable(settings.Port, e.Message);
                }

                await Task.Delay(BetweenTries, cancellation);
            }
        }
    }
}
