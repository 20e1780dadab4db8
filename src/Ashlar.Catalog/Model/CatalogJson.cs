using System.Text.Json.Serialization;

namespace Ashlar.Catalog;

/// <summary>The catalog's records as JSON, as a tier keeps its last snapshot on disk.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(CatalogSnapshot))]
public sealed partial class CatalogJson : JsonSerializerContext;
