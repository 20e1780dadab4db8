using System.Net;

namespace Ashlar.EndToEnd.Examples;

/// <summary>Visitors that load a page again and again, and remember every answer that is not the page.</summary>
internal sealed class SteadyGets : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMilliseconds(200) });
    private readonly Uri _page;
    private readonly Task[] _visitors;
    private readonly List<string> _failures = [];
    private int _answers;

    private readonly string _end;

    /// <summary>Begins.</summary>
    /// <param name="page">Its address.</param>
    /// <param name="end">What it ends with.</param>
    public SteadyGets(string page, string end = "</html>")
    {
        _end = end;
        _page = new Uri(page);
        _visitors = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(VisitAsync))];
    }

    /// <summary>Ends, and holds it to: not one failed.</summary>
    public async Task NoneFailedAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_visitors);
        Assert.True(_failures.Count == 0, $"{_failures.Count} of {_answers} failed:\n{string.Join('\n', _failures.Take(10))}");
        Assert.True(_answers > 20, $"only {_answers} answers");
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_visitors);
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task VisitAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var answer = await _client.GetAsync(_page);
                var body = await answer.Content.ReadAsStringAsync();
                Note(answer.StatusCode == HttpStatusCode.OK && body.TrimEnd().EndsWith(_end, StringComparison.Ordinal) ? null : $"{answer.StatusCode} {body}");
            }
            catch (HttpRequestException e)
            {
                Note(e.ToString());
            }
            await Task.Delay(5);
        }
    }

    private void Note(string? failure)
    {
        lock (_failures)
        {
            _answers++;
            if (failure is not null)
            {
                _failures.Add(failure);
            }
        }
    }
}
