namespace Ashlar.Stack;

/// <summary>A place in a file; line and column count from 1, 0 means the whole.</summary>
internal readonly record struct Position(string File, int Line, int Column)
{
    public static Position Whole(string file) => new(file, 0, 0);
}
