using System.Reflection;

namespace Ashlar;

/// <summary>The version of this program.</summary>
internal static class ProgramVersion
{
    /// <summary>As <c>ashlar --version</c> prints it: <c>0.1.0</c>.</summary>
    public static string Text { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
