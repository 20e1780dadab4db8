using System.Collections.Immutable;
using Ashlar.Catalog.Channel;

namespace Ashlar.Agent.Api;

/// <summary>Arguments of <c>cache</c>.</summary>
/// <param name="Action"><c>stats</c>, <c>purge</c> or <c>explain</c>.</param>
/// <param name="Url">The URL meant; null: none.</param>
/// <param name="Tag">Of a purge: the tag meant; null: none, and with no URL everything is.</param>
/// <param name="Soft">Of a purge: what is meant only becomes stale.</param>
/// <param name="Here">True: only this machine's edge; how machines ask each other.</param>
public sealed record CacheArguments(string Action, string? Url = null, string? Tag = null, bool Soft = false, bool Here = false);

/// <summary>What every edge answered.</summary>
/// <param name="Edges">One for each edge of each machine, and for a machine that did not answer.</param>
/// <param name="Milliseconds">Time until all had.</param>
public sealed record CacheResult(ImmutableArray<EdgeCacheReport> Edges, double Milliseconds);

/// <summary>What one edge answered.</summary>
/// <param name="Machine">Its machine; empty: the stack has only one.</param>
/// <param name="Edge">Its instance; empty: the machine did not answer.</param>
/// <param name="Error">Why it has not; empty: it has.</param>
/// <param name="Milliseconds">Time until it had.</param>
/// <param name="Answer">What it answered; null: nothing.</param>
public sealed record EdgeCacheReport(string Machine, string Edge, string Error, double Milliseconds, CacheAnswer? Answer);
