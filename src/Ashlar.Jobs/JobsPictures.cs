using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Errors;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;

namespace Ashlar.Jobs;

/// <summary>Writes how the queues are, for the dashboard and the series: it costs the same however many look.</summary>
internal static class JobsPictures
{
    private const int PauseForCost = 20;
    private static readonly TimeSpan BetweenPictures = TimeSpan.FromSeconds(2);

    /// <summary>Writes until it is stopped.</summary>
    public static async Task WriteAsync(JobsOptions options, Database database, Dispatcher dispatcher, JobsMetrics metrics, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var administration = await JobsAdministration.OpenAsync(database, options.Settings.Port, options.Settings.Stack, stop);
                for (var pause = BetweenPictures; ;)
                {
                    await Task.Delay(pause, stop);
                    var began = Stopwatch.GetTimestamp();
                    if (dispatcher.Leads)
                    {
                        var picture = await administration.PictureAsync(stop);
                        metrics.Note(picture.Queues);
                        var temporary = $"{options.Report}.{Environment.ProcessId}.tmp";
                        await File.WriteAllBytesAsync(temporary, JsonSerializer.SerializeToUtf8Bytes(picture, JobsJson.Default.JobsPicture), stop);
                        File.Move(temporary, options.Report, overwrite: true);
                    }

                    // Counting is never a queue's main work, however much lies in it.
                    var costly = Stopwatch.GetElapsedTime(began) * PauseForCost;
                    pause = costly > BetweenPictures ? costly : BetweenPictures;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is AshlarException or UnauthorizedAccessException || Database.IsOfTheServer(e))
            {
                // The dispatcher says it.
                await Task.WhenAny(Task.Delay(BetweenPictures, stop));
            }
        }
    }
}

/// <summary>How the reports are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JobsPicture))]
public sealed partial class JobsJson : JsonSerializerContext;
