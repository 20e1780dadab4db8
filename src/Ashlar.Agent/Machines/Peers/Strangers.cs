using System.Net;

namespace Ashlar.Agent.Machines;

/// <summary>
/// Callers that have not shown yet who they are: a few an address, and not too many in all, so that nobody who only opens connections
/// keeps the machines of the stack out.
/// </summary>
internal sealed class Strangers
{
    private const int MostOfAnAddress = 8;
    private const int Most = 256;
    private readonly Dictionary<IPAddress, int> _here = [];
    private int _all;

    /// <summary>One more; false: there are too many.</summary>
    public bool Enter(IPAddress address)
    {
        lock (_here)
        {
            var there = _here.GetValueOrDefault(address);
            if (there >= MostOfAnAddress || _all >= Most)
            {
                return false;
            }

            _here[address] = there + 1;
            _all++;
            return true;
        }
    }

    /// <summary>One has shown who it is, or has gone.</summary>
    public void Leave(IPAddress address)
    {
        lock (_here)
        {
            _all--;
            if (--_here[address] == 0)
            {
                _here.Remove(address);
            }
        }
    }
}
