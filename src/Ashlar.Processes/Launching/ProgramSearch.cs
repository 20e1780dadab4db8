namespace Ashlar.Processes;

/// <summary>Finds the program of a command as the child would.</summary>
public static class ProgramSearch
{
    /// <summary>Absolute path of the program.</summary>
    /// <param name="program">A name to look for on <paramref name="path"/>, or a path if it has a slash.</param>
    /// <param name="path">The child's PATH.</param>
    /// <param name="folder">The child's working folder: relative paths begin there.</param>
    /// <param name="user">Who will execute it.</param>
    /// <exception cref="Errors.AshlarException">ASH2001 not found, ASH2002 not executable.</exception>
    public static string Find(string program, string path, string folder, SystemUser user)
    {
        string[] candidates = program.Contains('/')
            ? [Path.Combine(folder, program)]
            : [.. path.Split(':').Select(entry => Path.Combine(folder, entry, program))];
        var answers = UserAccess.Execute(user, candidates);
        string? refused = null;
        for (var i = 0; i < candidates.Length; i++)
        {
            if (answers[i] == 0 && !Directory.Exists(candidates[i]))
                return candidates[i];
            if (answers[i] == Libc.EACCES || Directory.Exists(candidates[i]))
                refused ??= candidates[i];
        }
        throw refused is not null && (program.Contains('/') || File.Exists(refused))
            ? ProcessErrors.ProgramNotExecutable(refused, user.Name)
            : ProcessErrors.ProgramNotFound(program, path);
    }
}
