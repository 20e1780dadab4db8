namespace Ashlar.Http.Wire;

/// <summary>
/// Why a message was refused or could not be served: the status for the client and a sentence for log and page. Each is
/// made once; nothing on a request's path makes one.
/// </summary>
public sealed class HttpProblem
{
    private HttpProblem(int status, string reason)
    {
        Status = status;
        Reason = reason;
        AsUpstream = status == 502 ? this : new HttpProblem(502, $"The app's answer is not valid HTTP. {reason}");
    }

    /// <summary>The status code to answer with.</summary>
    public int Status { get; }

    /// <summary>A sentence: what was wrong with this message.</summary>
    public string Reason { get; }

    /// <summary>The same fault found in an app's response: a 502.</summary>
    public HttpProblem AsUpstream { get; }

    /// <summary>Stable code of the kind of problem, a section of <c>docs/errors.md</c>.</summary>
    public string Code => Status switch
    {
        400 => "ASH3040",
        401 => "ASH3060",
        403 => "ASH3061",
        404 => "ASH3041",
        405 => "ASH3062",
        408 => "ASH3042",
        410 => "ASH3065",
        412 => "ASH3066",
        413 => "ASH3043",
        414 => "ASH3044",
        416 => "ASH3063",
        417 => "ASH3045",
        421 => "ASH3047",
        429 => "ASH3064",
        431 => "ASH3046",
        501 => "ASH3050",
        502 => "ASH3052",
        503 => "ASH3053",
        504 => "ASH3054",
        _ => "ASH3055",
    };

    /// <summary>The status's reason phrase (RFC 9110 section 15).</summary>
    public string Title => Status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "HTTP Version Not Supported",
    };

    /// <inheritdoc />
    public override string ToString() => $"{Code} {Status} {Title}: {Reason}";

#pragma warning disable CS1591 // the reason is the documentation
    // Lines and fields.
    public static readonly HttpProblem BareLineFeed = new(400, "A line ends with LF alone; CRLF is required.");
    public static readonly HttpProblem BareCarriageReturn = new(400, "A CR is not followed by LF.");
    public static readonly HttpProblem ControlCharacter = new(400, "A control character stands in the head.");
    public static readonly HttpProblem FoldedLine = new(400, "A header line begins with white space (line folding).");
    public static readonly HttpProblem FieldWithoutColon = new(400, "A header line has no colon.");
    public static readonly HttpProblem FieldName = new(400, "A header name is empty or holds a character that is not allowed in it.");
    public static readonly HttpProblem FieldNameTooLong = new(431, "A header name is longer than 1,024 bytes.");
    public static readonly HttpProblem TooManyFields = new(431, "There are too many header lines.");
    public static readonly HttpProblem HeadTooLarge = new(431, "The header lines are too large.");
    public static readonly HttpProblem TooManyEmptyLines = new(400, "More than two empty lines stand before the request.");

    // Start lines.
    public static readonly HttpProblem TargetTooLong = new(414, "The request line is too long.");
    public static readonly HttpProblem RequestLine = new(400, "The request line is not a method, a target and a version with one space between each.");
    public static readonly HttpProblem Method = new(400, "The method is not a token.");
    public static readonly HttpProblem MethodNotImplemented = new(501, "The method is CONNECT, TRACE, or longer than 32 bytes.");
    public static readonly HttpProblem Version = new(505, "Only HTTP/1.1 and HTTP/1.0 are spoken on this connection.");
    public static readonly HttpProblem TargetCharacter = new(400, "The target holds a fragment, a control or a character outside ASCII.");
    public static readonly HttpProblem TargetFormNotAllowed = new(400, "The target is neither a path, an http URL nor, with OPTIONS, an asterisk.");
    public static readonly HttpProblem PathClimbs = new(400, "The path has a '..' segment.");
    public static readonly HttpProblem PathEncoding = new(400, "The path holds a backslash, a broken percent-encoding, %00, %0d, %0a or overlong UTF-8.");
    public static readonly HttpProblem StatusLine = new(400, "The status line is not a version, three digits and a reason.");

    // Host.
    public static readonly HttpProblem NoHost = new(400, "An HTTP/1.1 request needs a Host.");
    public static readonly HttpProblem TwoHosts = new(400, "There is more than one Host.");
    public static readonly HttpProblem Host = new(400, "The Host is not a name or address with an optional port.");

    // Framing.
    public static readonly HttpProblem LengthAndEncoding = new(400, "Content-Length and Transfer-Encoding stand together.");
    public static readonly HttpProblem TwoLengths = new(400, "There is more than one Content-Length.");
    public static readonly HttpProblem Length = new(400, "Content-Length is not a decimal number below 2^63.");
    public static readonly HttpProblem TwoEncodings = new(400, "There is more than one Transfer-Encoding.");
    public static readonly HttpProblem EncodingList = new(400, "Transfer-Encoding is malformed, or chunked is not its last coding.");
    public static readonly HttpProblem EncodingUnknown = new(501, "A transfer coding other than chunked is not implemented.");
    public static readonly HttpProblem EncodingInOldVersion = new(400, "Transfer-Encoding stands in an HTTP/1.0 message.");
    public static readonly HttpProblem ConnectionOptions = new(400, "Connection is not a list of at most 32 tokens.");
    public static readonly HttpProblem Expectation = new(417, "Only the expectation 100-continue can be met.");
    public static readonly HttpProblem MaxForwardsValue = new(400, "Max-Forwards is not one decimal number.");
    public static readonly HttpProblem UpgradeNotAsked = new(502, "The app switched protocols without being asked to.");

    // Chunked bodies.
    public static readonly HttpProblem ChunkSize = new(400, "A chunk's size is not 1 to 16 hexadecimal digits below 2^63.");
    public static readonly HttpProblem ChunkExtension = new(400, "A chunk's extension is malformed or too long.");
    public static readonly HttpProblem ChunkEnd = new(400, "A chunk's data is not followed by CRLF.");
    public static readonly HttpProblem ChunkLine = new(400, "A chunk's size line does not end with CRLF.");
    public static readonly HttpProblem TrailersTooLarge = new(431, "The trailer section is too large.");

    // What befalls a request that was well formed.
    public static readonly HttpProblem NoRoute = new(404, "No service of this stack is routed at this host and path.");
    public static readonly HttpProblem Misdirected = new(421, "The certificate of this connection is not for this host.");
    public static readonly HttpProblem HeadTimeout = new(408, "The request's head did not arrive in time.");
    public static readonly HttpProblem BodyTimeout = new(408, "The request's body did not arrive in time.");
    public static readonly HttpProblem BodyTooLarge = new(413, "The request's body is larger than this service accepts.");
    public static readonly HttpProblem ConnectFailed = new(502, "No instance of the service accepted a connection.");
    public static readonly HttpProblem UpstreamClosed = new(502, "The app closed the connection before it had answered.");
    public static readonly HttpProblem NoInstance = new(503, "No healthy instance of the service is running.");
    public static readonly HttpProblem QueueFull = new(503, "All instances of the service are at their limit, and so is the queue before them.");
    public static readonly HttpProblem QueueTimeout = new(503, "All instances of the service are at their limit, and none became free in time.");
    public static readonly HttpProblem Maintenance = new(503, "The service is in maintenance.");
    public static readonly HttpProblem NotCached = new(504, "The cache holds no answer to this request, and the request wants none from the app (only-if-cached).");
    public static readonly HttpProblem Overloaded = new(503, "The service has no worker free for the request.");
    public static readonly HttpProblem BodiesFull = new(503, "The edge has as many requests' bodies to keep as it may.");
    public static readonly HttpProblem NoFile = new(404, "There is no file and no script at this path.");
    public static readonly HttpProblem Denied = new(403, "This path is not open to the public.");
    public static readonly HttpProblem Gone = new(410, "What was at this path is no more.");
    public static readonly HttpProblem PreconditionFailed = new(412, "The file is not in the state that the request is for.");
    public static readonly HttpProblem AddressDenied = new(403, "This path is not open to the address that the request came from.");
    public static readonly HttpProblem Unauthorized = new(401, "This path asks for a name and a password.");
    public static readonly HttpProblem FileMethod = new(405, "A file can only be read: GET and HEAD.");
    public static readonly HttpProblem RangeUnsatisfiable = new(416, "The file has no bytes in the range that was asked for.");
    public static readonly HttpProblem RateLimited = new(429, "There have been too many requests from here.");
    public static readonly HttpProblem PasswordsOfClient = new(429, "Too many passwords from here are being checked.");
    public static readonly HttpProblem PasswordsBusy = new(503, "Too many passwords are being checked.");
    public static readonly HttpProblem LookTimeout = new(503, "The edge itself took too long: for a file, or to check a password.");
    public static readonly HttpProblem VariablesTooLarge = new(414, "The request has more than a FastCGI server takes as variables.");
    public static readonly HttpProblem ScriptHead = new(502, "What the script answered does not begin with a CGI head.");
    public static readonly HttpProblem ScriptRecords = new(502, "What the FastCGI server answered are no records of an answer.");
    public static readonly HttpProblem ScriptRefused = new(502, "The FastCGI server does not take requests for a responder.");
    public static readonly HttpProblem ScriptUnfinished = new(502, "The script ended before it had answered.");
    public static readonly HttpProblem ScriptNotStarted = new(502, "The script could not be started; the service's log says why.");
    public static readonly HttpProblem ScriptTimeout = new(504, "The script did not answer in the time that it has.");
    public static readonly HttpProblem UpstreamTimeout = new(504, "The app did not answer in time.");
#pragma warning restore CS1591
}
