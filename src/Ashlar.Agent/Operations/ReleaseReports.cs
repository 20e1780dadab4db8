using Ashlar.Agent.Api;
using Ashlar.Delivery.Releases;

namespace Ashlar.Agent.Operations;

/// <summary>A release as people see it. Pure.</summary>
internal static class ReleaseReports
{
    /// <summary>Without its settings: these are secret.</summary>
    public static ReleaseReport Of(Release release) => new(release.Name, release.Created, release.Description, release.Status switch
    {
        ReleaseStatus.Current => "current",
        ReleaseStatus.Good or ReleaseStatus.Prepared => "ready",
        ReleaseStatus.Failed => "failed",
        ReleaseStatus.Pruned => "pruned",
        _ => "building",
    });
}
