using Antbot.Execution;
using Xunit;

namespace Antbot.Integration.Tests.Execution;

public sealed class CrewTests
{
    /// <summary>Those in front were due again before those behind had been looked at once, and these never were.</summary>
    [Fact]
    public async Task What_waits_keeps_its_place_before_what_is_due_again()
    {
        var (done, next) = (new List<string>(), new Queue<TaskCompletionSource>());
        var crew = new Crew<string>(1, item =>
        {
            done.Add(item);
            next.Enqueue(new TaskCompletionSource());
            return next.Last().Task;
        });
        crew.Offer(["a", "b", "c"], i => i);
        for (var i = 0; i < 4; i++)
        {
            next.Dequeue().SetResult();
            crew.Offer(["a", "b", "c"], i => i);
        }
        Assert.Equal(["a", "b", "c", "a", "b"], done);
        var end = crew.EndAsync();
        next.Dequeue().SetResult();
        await end;
        Assert.Equal(5, done.Count);
    }
}
