using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class DateLineTests
{
    [Fact]
    public void It_is_in_the_form_HTTP_prefers_and_follows_the_clock()
    {
        var line = default(DateLine);
        Assert.Equal("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", WireText.Text(line.At(784111777_000)));
        Assert.Equal("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", WireText.Text(line.At(784111777_999)));
        Assert.Equal("Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n", WireText.Text(line.At(784111778_000)));
    }
}
