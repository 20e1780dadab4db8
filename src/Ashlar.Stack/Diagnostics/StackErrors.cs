using Ashlar.Errors;

namespace Ashlar.Stack;

/// <summary>Every diagnostic of the stack's files, one method a code.</summary>
internal static class StackErrors
{
    /// <summary>ASH1000: the stack cannot be used; carries the first mistake and how many there are.</summary>
    public static AshlarError NotUsable(IReadOnlyCollection<Diagnostic> errors) => new(
        "ASH1000",
        "stack",
        errors.Count == 1 ? errors.First().ToString() : $"{errors.Count} mistakes keep the stack from loading; the first: {errors.First()}",
        "Run `ashlar check` for all of them, correct the file, and repeat the command.");

    /// <summary>ASH1001: the path given does not exist.</summary>
    public static Diagnostic NoSuchPath(string path) => Error(
        Position.Whole(path), "ASH1001", "no such file or folder", "give the folder that holds the app");

    /// <summary>ASH1002: the folder has no file that says what to run.</summary>
    public static Diagnostic NoStackFile(string folder) => Error(
        Position.Whole(folder), "ASH1002", "there is no ashlar.yaml, ashlar.yml or Procfile here", "`ashlar init` writes one");

    /// <summary>ASH1003: a key that the stack file does not know at this place.</summary>
    public static Diagnostic UnknownKey(Position at, string key, string advice) => Error(
        at, "ASH1003", $"unknown key \"{key}\"", advice);

    /// <summary>ASH1004: the same key or name twice.</summary>
    public static Diagnostic DuplicateKey(Position at, string key, int firstLine) => Error(
        at, "ASH1004", $"\"{Short(key)}\" stands here a second time", $"it was first given in line {firstLine}: keep one");

    /// <summary>ASH1005: a list where a map is expected and the like.</summary>
    public static Diagnostic WrongType(Position at, string key, string expected, string found) => Error(
        at, "ASH1005", $"{key} is {found}", $"expected {expected}");

    /// <summary>ASH1006: a value outside its range or choice.</summary>
    public static Diagnostic BadValue(Position at, string key, string found, string expected, string? near) => Error(
        at, "ASH1006", $"{key} is {found}, expected {expected}", near is null ? null : $"did you mean \"{near}\"?");

    /// <summary>ASH1007: a size that is not one.</summary>
    public static Diagnostic BadSize(Position at, string key, string found, string? suggestion) => Error(
        at, "ASH1007", $"{key} is {found}, expected a size with its unit (B, KiB, MiB, GiB, TiB, KB, MB, GB, TB)", suggestion);

    /// <summary>ASH1008: a duration that is not one.</summary>
    public static Diagnostic BadDuration(Position at, string key, string found, string? suggestion) => Error(
        at, "ASH1008", $"{key} is {found}, expected a duration with its unit (ms, s, m, h, d)", suggestion);

    /// <summary>ASH1009: a key or value that is planned and does nothing yet.</summary>
    public static Diagnostic NotBuiltYet(Position at, string what, string advice) => Error(
        at, "ASH1009", $"{what} is known, but not built yet", advice);

    /// <summary>ASH1010: the file is not YAML.</summary>
    public static Diagnostic YamlSyntax(Position at, string problem, string? advice) => Error(
        at, "ASH1010", $"this is not valid YAML: {problem}", advice);

    /// <summary>ASH1011: an alias whose anchor does not stand before it.</summary>
    public static Diagnostic UnknownAnchor(Position at, string name, string? near) => Error(
        at, "ASH1011", $"no anchor &{Short(name)} stands before this alias",
        near is null ? $"mark the value to repeat with &{Short(name)}, or quote the text if a star is meant" : $"did you mean \"*{near}\"?");

    /// <summary>ASH1036: an alias inside the value that it names.</summary>
    public static Diagnostic AnchorWithinItself(Position at, string name) => Error(
        at, "ASH1036", $"*{Short(name)} stands inside the value that &{Short(name)} names", "a value cannot contain itself");

    /// <summary>ASH1012: nested deeper than any stack file needs.</summary>
    public static Diagnostic TooDeep(Position at, int limit) => Error(
        at, "ASH1012", $"nested deeper than {limit} levels", "a stack file needs seven");

    /// <summary>ASH1037: aliases that multiply into too much.</summary>
    public static Diagnostic TooManyNodes(Position at, int limit) => Error(
        at, "ASH1037", $"with its aliases written out the file has more than {limit} values", "write the file without them");

    /// <summary>ASH1013: a service that nothing says how to run.</summary>
    public static Diagnostic NoCommand(Position at, string service) => Error(
        at, "ASH1013", $"services.{service} has no command", $"add \"run:\", or an entry \"{service}:\" to the Procfile");

    /// <summary>ASH1014: a name that is not a DNS label.</summary>
    public static Diagnostic BadName(Position at, string what, string name, string? near) => Error(
        at, "ASH1014",
        $"{what} \"{Short(name)}\" is not a name: expected lower-case letters, digits and inner hyphens, at most 40",
        near is null ? null : $"did you mean \"{near}\"?");

    /// <summary>ASH1038: a Procfile's name that had to be changed.</summary>
    public static Diagnostic NameFitted(Position at, string name, string fitted) => new(
        at.File, at.Line, at.Column, DiagnosticSeverity.Note, "ASH1038", $"the process type \"{Short(name)}\" becomes the service \"{fitted}\"",
        "a service's name is a DNS label");

    /// <summary>ASH1015: a route or host name that is none.</summary>
    public static Diagnostic BadRoute(Position at, string key, string found, string problem) => Error(
        at, "ASH1015", $"{key} is {found}, but {problem}",
        key.EndsWith("route", StringComparison.Ordinal) ? "expected /, /path, host or host/path" : "expected a host name such as www.example.com");

    /// <summary>ASH1016: two services on one route.</summary>
    public static Diagnostic RouteTaken(Position at, string service, string route, string other) => Error(
        at, "ASH1016", $"services.{service} has the route {route}, which services.{other} has already", "give one of them another path or host");

    /// <summary>ASH1017: an address to listen on that is none.</summary>
    public static Diagnostic BadListen(Position at, string key, string found) => Error(
        at, "ASH1017", $"{key} is {found}, expected a port from 1 to 65535 or address:port",
        "write 8080 for all addresses, 127.0.0.1:8080 for one, [::1]:8080 for IPv6");

    /// <summary>ASH1018: a service's directory that is not a folder of the stack.</summary>
    public static Diagnostic BadDirectory(Position at, string key, string found, string problem) => Error(
        at, "ASH1018", $"{key} is {found}, but {problem}", "expected a subfolder of the stack's folder, relative to it");

    /// <summary>ASH1019: a name that no variable can have. The name is not repeated: a broken secret may stand in its place.</summary>
    public static Diagnostic BadVariable(Position at) => Error(
        at, "ASH1019", "this is not the name of a variable", "expected letters, digits and _, not beginning with a digit");

    /// <summary>ASH1020: nothing in the file.</summary>
    public static Diagnostic Empty(string file) => Error(
        Position.Whole(file), "ASH1020", "the file is empty", "`ashlar init` writes one that runs; `ashlar schema` lists the keys");

    /// <summary>ASH1021: the file is too large to be meant.</summary>
    public static Diagnostic TooLarge(string file, long? length) => Error(
        Position.Whole(file), "ASH1021",
        length is null ? $"the file has more than {SourceFile.Limit} bytes" : $"the file has {length} bytes, at most {SourceFile.Limit} are read",
        "check that it is the file you mean");

    /// <summary>ASH1022: bytes that are not UTF-8.</summary>
    public static Diagnostic NotUtf8(Position at, byte value) => Error(
        at, "ASH1022", $"byte 0x{value:X2} is not UTF-8", "save the file as UTF-8 (iconv -f latin1 -t utf-8 converts it)");

    /// <summary>ASH1023: the system does not let the file be read.</summary>
    public static Diagnostic Unreadable(string file, string reason) => Error(
        Position.Whole(file), "ASH1023", $"cannot be read: {char.ToLowerInvariant(reason[0])}{reason[1..].TrimEnd('.')}",
        "check its type and permissions (ls -l)");

    /// <summary>ASH1024: a folder where a file is expected.</summary>
    public static Diagnostic IsDirectory(string path) => Error(
        Position.Whole(path), "ASH1024", "this is a folder, expected a file", "rename or remove it; `ashlar init` writes a stack file");

    /// <summary>ASH1025: a NUL, which no command or variable can hold.</summary>
    public static Diagnostic NulByte(Position at) => Error(
        at, "ASH1025", "a NUL character stands here", "remove it; a file full of them is binary or was cut off while it was written");

    /// <summary>ASH1026: a line of a Procfile that is not an entry.</summary>
    public static Diagnostic BadProcfileLine(Position at) => Error(
        at, "ASH1026", "this line is not a Procfile entry", "expected NAME: COMMAND");

    /// <summary>ASH1039: a Procfile entry without a command.</summary>
    public static Diagnostic NoProcfileCommand(Position at, string name) => Error(
        at, "ASH1039", $"the process type \"{Short(name)}\" has no command", "expected NAME: COMMAND");

    /// <summary>ASH1027: the file is not JSON.</summary>
    public static Diagnostic JsonSyntax(Position at) => Error(
        at, "ASH1027", "this is not valid JSON", "JSON has double quotes, no comments, and no comma before a closing bracket");

    /// <summary>ASH1028: a line of .env that is not an assignment.</summary>
    public static Diagnostic BadEnvLine(Position at, string problem) => Error(
        at, "ASH1028", problem, "expected NAME=value, NAME='value' or NAME=\"value\"");

    /// <summary>ASH1029: a stack that runs nothing.</summary>
    public static Diagnostic NoServices(Position at) => Error(
        at, "ASH1029", "the stack has no services", "add \"services:\" with a \"run:\", or a Procfile; `ashlar init` writes them");

    /// <summary>ASH1030: a tab in the indentation.</summary>
    public static Diagnostic Tab(Position at) => Error(
        at, "ASH1030", "a tab stands in the indentation, where YAML allows spaces only", "replace it with spaces");

    /// <summary>ASH1031: something of app.json that Ashlar does not do.</summary>
    public static Diagnostic Ignored(Position at, string what, string advice) => new(
        at.File, at.Line, at.Column, DiagnosticSeverity.Note, "ASH1031", $"{what} is not used", advice);

    /// <summary>ASH1032: a variable that app.json requires and no file gives.</summary>
    public static Diagnostic VariableWanted(Position at, string name) => new(
        at.File, at.Line, at.Column, DiagnosticSeverity.Warning, "ASH1032", $"app.json requires the variable {name}, which no file gives",
        $"`ashlar config set {name}=...` gives it, unless it was done already");

    /// <summary>ASH1033: two stack files in one folder.</summary>
    public static Diagnostic TwoStackFiles(string second, string first) => Error(
        Position.Whole(second), "ASH1033", $"there is a {Path.GetFileName(first)} beside it", "keep one of the two");

    /// <summary>ASH1034: a variable that Ashlar sets itself.</summary>
    public static Diagnostic VariableOverruled(Position at, string name) => new(
        at.File, at.Line, at.Column, DiagnosticSeverity.Warning, "ASH1034", $"{name} is given to each instance by Ashlar; this value is not used",
        "remove it");

    /// <summary>ASH1035: the same variable twice in .env, of which the last counts.</summary>
    public static Diagnostic VariableAgain(Position at, string name, int firstLine) => new(
        at.File, at.Line, at.Column, DiagnosticSeverity.Warning, "ASH1035", $"{name} was given in line {firstLine} already; the last one counts",
        "keep one");

    /// <summary>ASH1040: a service with the name of a tier that the stack has.</summary>
    public static Diagnostic TierName(Position at, string name) => Error(
        at, "ASH1040", $"services.{name} has the name of a tier of this stack", $"give it another name, such as {name}-service");

    /// <summary>ASH1041: a tier that is asked for without anything in it.</summary>
    public static Diagnostic EmptyTier(Position at, string key, string choices) => Error(
        at, "ASH1041", $"{key} asks for nothing", $"say what runs there: {choices}");

    /// <summary>ASH1042: a variable that hides what a tier of the stack gives.</summary>
    public static Diagnostic TierHidden(string file, string name, string where, string tier) => new(
        file, 0, 0, DiagnosticSeverity.Warning, "ASH1042", $"{where} sets {name}, so the stack's own {tier} is not what the services use",
        $"remove {name} there, or {tier} from the stack");

    /// <summary>ASH1043: a label that no machine of the file has.</summary>
    public static Diagnostic UnknownLabel(string file, string key, string label, string? near) => new(
        file, 0, 0, DiagnosticSeverity.Warning, "ASH1043", $"no machine of the file has the label {label} of {key}",
        near is null ? $"give it to a machine under machines, or by `ashlar machines label NAME {label}`" : $"did you mean {near}?");

    /// <summary>ASH1044: two machines with one address.</summary>
    public static Diagnostic AddressTaken(Position at, string name, string address, string other) => Error(
        at, "ASH1044", $"machines.{name} has the address {address} of {other}", "give each machine an address of its own");

    /// <summary>ASH1060: a queue or a schedule that nothing could carry out as it stands.</summary>
    public static Diagnostic JobIncomplete(Position at, string key, string problem, string advice) => Error(
        at, "ASH1060", $"{key} {problem}", advice);

    private static Diagnostic Error(Position at, string code, string message, string? suggestion) =>
        new(at.File, at.Line, at.Column, DiagnosticSeverity.Error, code, message, suggestion);

    private static string Short(string text) => text.Length > 60 ? text[..57] + "..." : text;
}
