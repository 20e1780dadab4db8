using Ashlar.Errors;
using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs.Runner;

/// <summary>What the dispatcher tells. Called from several threads; must return at once.</summary>
internal interface IDispatchEvents
{
    /// <summary>Something that people should know.</summary>
    void Say(AshlarError error);

    /// <summary>It leads.</summary>
    void Leads(long epoch);

    /// <summary>Another leads.</summary>
    void StandsBy();

    /// <summary>Another may lead; what is in hand is finished here.</summary>
    void HandedOver();

    /// <summary>The grace is over for so many jobs.</summary>
    void BreaksOff(int jobs);

    /// <summary>A job has been handed out.</summary>
    void Began(string queue, Job job, DateTime now);

    /// <summary>An attempt has ended and that is written down; or it was lost, and counts for nothing.</summary>
    void Ended(string queue, Finished finished, DateTime now, bool wasLost);

    /// <summary>A schedule has fired.</summary>
    void Fired(string schedule, DateTime at);
}
