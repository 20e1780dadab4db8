using System.Text.Json.Serialization;

namespace Ashlar.Dashboard.Live;

/// <summary>What goes between page and process.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LiveFrame))]
[JsonSerializable(typeof(SeriesAnswer))]
[JsonSerializable(typeof(LogAnswer))]
[JsonSerializable(typeof(SlowAnswer))]
[JsonSerializable(typeof(JobsPage))]
[JsonSerializable(typeof(CachePage))]
[JsonSerializable(typeof(SignIn))]
internal sealed partial class PageJson : JsonSerializerContext;

/// <summary>What a visitor gives to get in.</summary>
internal sealed record SignIn(string? Token);
