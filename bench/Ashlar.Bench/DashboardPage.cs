using System.Text;
using System.Text.Json;

namespace Ashlar.Bench;

/// <summary>A page of the dashboard that somebody has open, as far as the stack feels it: signed in, and reading the stream that feeds the page.</summary>
internal sealed class DashboardPage : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _close = new();
    private readonly Task _reading;
    private int _frames;

    private DashboardPage(HttpClient http, Stream stream) => (_http, _reading) = (http, ReadAsync(stream));

    /// <summary>A page that has seen nothing would have measured nothing.</summary>
    public void RequireFrames()
    {
        if (_frames < 5)
        {
            throw new InvalidOperationException($"the dashboard's page got {_frames} events only");
        }
    }

    /// <param name="address">What <c>ashlar dashboard</c> prints: the token stands behind <c>#</c>.</param>
    public static async Task<DashboardPage> OpenAsync(string address)
    {
        var url = new Uri(address);
        var token = url.Fragment["#token=".Length..];
        var http = new HttpClient { BaseAddress = url };
        using var body = new StringContent(JsonSerializer.Serialize(new { token }), Encoding.UTF8, "application/json");
        using var question = new HttpRequestMessage(HttpMethod.Post, "/dashboard/session") { Content = body };
        question.Headers.Add("Origin", url.GetLeftPart(UriPartial.Authority));
        (await http.SendAsync(question)).EnsureSuccessStatusCode();
        return new DashboardPage(http, await http.GetStreamAsync(new Uri("/dashboard/live", UriKind.Relative)));
    }

    public async ValueTask DisposeAsync()
    {
        await _close.CancelAsync();
        try
        {
            await _reading;
        }
        catch (OperationCanceledException)
        {
        }

        _http.Dispose();
        _close.Dispose();
    }

    private async Task ReadAsync(Stream stream)
    {
        using var lines = new StreamReader(stream);
        while (await lines.ReadLineAsync(_close.Token) is { } line)
        {
            if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _frames);
            }
        }
    }
}
