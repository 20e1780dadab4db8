using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs.Runner;

/// <summary>Hands a job to who does it.</summary>
internal interface IDelivery
{
    /// <summary>Does one attempt. Throws nothing but <see cref="OperationCanceledException"/> when it is cancelled, which means: broken off by us.</summary>
    /// <param name="queue">The job's queue.</param>
    /// <param name="job">The job.</param>
    /// <param name="cancellation">Breaks it off.</param>
    /// <returns>What has become of it; null: the worker has accepted it and will complete it later.</returns>
    Task<Outcome?> DeliverAsync(QueueSettings queue, Job job, CancellationToken cancellation);
}
