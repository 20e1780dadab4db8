namespace Ashlar.Processes.Tests.Health;

public sealed class HealthStateTests
{
    [Theory]
    [InlineData(1, 3, "+", true)]
    [InlineData(2, 3, "+", false)]
    [InlineData(2, 3, "+-+", false)]
    [InlineData(2, 3, "++", true)]
    [InlineData(1, 3, "+--", true)]
    [InlineData(1, 3, "+--+--", true)]
    [InlineData(1, 3, "+---", false)]
    [InlineData(1, 1, "+-", false)]
    [InlineData(2, 3, "++---+", false)]
    public void It_turns_after_so_many_answers_in_a_row(int rise, int fall, string answers, bool healthy) =>
        Assert.Equal(healthy, answers.Aggregate(new HealthState(rise, fall), (state, answer) => state.After(answer == '+')).Healthy);
}
