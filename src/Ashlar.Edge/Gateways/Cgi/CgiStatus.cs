namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>What the host of the scripts tells the edge of a request without an answer, as FastCGI's appStatus.</summary>
internal enum CgiStatus
{
    /// <summary>Nothing beside.</summary>
    None = 0,

    /// <summary>The script has run for as long as it may.</summary>
    TimedOut = 0x41530001,

    /// <summary>It could not be started.</summary>
    NotStarted = 0x41530002,

    /// <summary>There is no such script.</summary>
    NotFound = 0x41530003,
}
