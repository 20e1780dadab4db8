using System.Numerics;

namespace Ashlar.Monitoring;

/// <summary>Values of a series in ten seconds that are not yet written.</summary>
internal sealed class PendingTen
{
    /// <summary>How many there may be.</summary>
    public const int Seconds = 10;

    private readonly float[] _values = new float[Seconds];
    private uint _there;

    /// <summary>Unix seconds of the first.</summary>
    public long Begin { get; set; }

    /// <summary>Takes the value of a second.</summary>
    public void Put(int second, float value)
    {
        _values[second] = value;
        _there |= 1u << second;
    }

    /// <summary>Takes out the first values that follow one another; false: there are none.</summary>
    public bool TakeRun(out int first, out ReadOnlySpan<float> values)
    {
        first = _there == 0 ? 0 : BitOperations.TrailingZeroCount(_there);
        var length = BitOperations.TrailingZeroCount(~(_there >> first));
        _there &= ~(((1u << length) - 1) << first);
        values = _values.AsSpan(first, length);
        return length > 0;
    }
}
