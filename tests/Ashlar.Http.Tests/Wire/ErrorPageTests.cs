using System.Reflection;
using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class ErrorPageTests
{
    private static IEnumerable<HttpProblem> All => typeof(HttpProblem)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(member => (HttpProblem)member.GetValue(null)!);

    [Fact]
    public void Every_problem_makes_a_response_that_we_accept_ourselves()
    {
        foreach (var problem in All)
        {
            var bytes = ErrorPage.Response(problem, "01ARZ3NDEKTSV4RRFFQ69G5FAV"u8, "Date: x\r\n"u8, service: "web<1>");
            var text = WireText.Text(bytes);
            var head = WireText.AcceptResponse(text);
            Assert.Equal(problem.Status, head.Status);
            Assert.False(head.KeepAlive);
            Assert.Equal(bytes.Length, head.Consumed + head.ContentLength);
            Assert.Contains(problem.Code, text, StringComparison.Ordinal);
            Assert.Contains("the edge", text, StringComparison.Ordinal);
            Assert.Contains("<dt>Service</dt><dd>web&lt;1&gt;</dd>", text, StringComparison.Ordinal);
            Assert.Contains("<dt>Request</dt><dd><code>01ARZ3NDEKTSV4RRFFQ69G5FAV</code></dd>", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_status_has_its_own_phrase_and_code()
    {
        var statuses = All.Select(problem => problem.Status).Distinct().ToArray();
        Assert.Equal([400, 401, 403, 404, 405, 408, 410, 412, 413, 414, 416, 417, 421, 429, 431, 501, 502, 503, 504, 505], statuses.Order());
        Assert.Equal(statuses.Length, All.Select(problem => problem.Title).Distinct().Count());
        Assert.Equal(statuses.Length, All.Select(problem => problem.Code).Distinct().Count());
    }

    [Fact]
    public void An_answer_to_HEAD_has_the_length_but_not_the_page()
    {
        var text = WireText.Text(ErrorPage.Response(HttpProblem.NoRoute, "id"u8, default, keepAlive: true, bodiless: true));
        Assert.EndsWith("\r\n\r\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Connection", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Content-Length: 0\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_is_told_when_to_come_back() => Assert.Contains(
        "\r\nRetry-After: 5\r\n",
        WireText.Text(ErrorPage.Response(HttpProblem.QueueFull, default, default, retryAfter: 5)),
        StringComparison.Ordinal);
}
