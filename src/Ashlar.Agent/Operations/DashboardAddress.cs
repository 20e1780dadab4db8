using System.Globalization;
using System.Net;
using Ashlar.Agent.Api;
using Ashlar.Agent.Supervision;
using Ashlar.Dashboard;
using Ashlar.Errors;

namespace Ashlar.Agent.Operations;

/// <summary>Where people find the dashboard. Pure.</summary>
internal static class DashboardAddress
{
    /// <summary>The address with the token.</summary>
    /// <exception cref="AshlarException">ASH7203: there is none; ASH7204: not yet.</exception>
    public static DashboardResult Of(Target target)
    {
        if (!target.Stack.Dashboard.Enabled)
        {
            throw DashboardErrors.IsOff(target.Stack.Name);
        }

        var context = target.Context;
        if (context?.Listeners.FirstOrDefault(l => l.Service == DashboardPlan.Tier) is not { } door
            || !context.Secrets.TryGetValue(DashboardPlan.TokenSecret, out var token))
        {
            throw DashboardErrors.NotUp(target.Stack.Name);
        }

        var address = IPAddress.Parse(door.Address);
        var host = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : address;
        return new DashboardResult(string.Create(CultureInfo.InvariantCulture, $"http://{new IPEndPoint(host, door.Port)}/#token={token}"));
    }
}
