using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;

namespace Ashlar.Agent.Tests;

public sealed class AgentLoopTests
{
    [Fact]
    public async Task AQuestionDoesNotSettleTheWorld()
    {
        var loop = new AgentLoop(new AgentLog(TextWriter.Null, TimeProvider.System));
        var settled = 0;
        var running = loop.RunAsync(() =>
        {
            settled++;
            return ValueTask.CompletedTask;
        });
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(0, await loop.AskAsync(() => settled));
        }

        await loop.InvokeAsync(() => { });
        loop.End();
        await running;
        Assert.Equal(1, settled);
    }
}
