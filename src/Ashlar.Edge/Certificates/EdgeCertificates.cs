namespace Ashlar.Edge.Certificates;

/// <summary>How certificates come to the edge.</summary>
public static class EdgeCertificates
{
    /// <summary>Where the agent lays them down, readable by the edge's user alone.</summary>
    /// <param name="state">The stack's state folder.</param>
    public static string FolderIn(string state) => Path.Combine(state, "run", "certificates");
}
