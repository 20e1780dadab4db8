using Ashlar.Output;

namespace Ashlar;

public sealed class UnitsTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "0.98 KiB")]
    [InlineData(1 << 20, "1.00 MiB")]
    [InlineData(38.2 * (1 << 20), "38.2 MiB")]
    [InlineData(1023.9 * (1 << 20), "1.00 GiB")]
    [InlineData(512L << 40, "512 TiB")]
    public void Bytes_have_three_digits(double bytes, string text) => Assert.Equal(text, Units.Bytes((long)bytes));

    [Theory]
    [InlineData(-5, "0s")]
    [InlineData(59.9, "59s")]
    [InlineData(200, "3m 20s")]
    [InlineData(7384, "2h 3m")]
    [InlineData(446400, "5d 4h")]
    public void A_duration_has_its_two_largest_units(double seconds, string text) =>
        Assert.Equal(text, Units.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("90", 90)]
    [InlineData("500ms", 0.5)]
    [InlineData("1.5m", 90)]
    [InlineData("2h", 7200)]
    [InlineData("7d", 604800)]
    public void A_duration_is_read_as_it_is_written(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Units.ParseDuration(text));

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-5s")]
    [InlineData("1e9d")]
    [InlineData("99999999d")]
    public void What_is_no_duration_is_null(string text) => Assert.Null(Units.ParseDuration(text));
}
