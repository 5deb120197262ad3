using Antbot.Messaging;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

public sealed class ByteBudgetTests
{
    private readonly ByteBudget _budget = new(100);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_has_no_room_waits_until_enough_is_given_back_and_nobody_overtakes()
    {
        var (first, second) = (await _budget.TakeAsync(60, Cancel), await _budget.TakeAsync(40, Cancel));
        var (large, small) = (_budget.TakeAsync(50, Cancel), _budget.TakeAsync(1, Cancel));
        second.Dispose();
        // Twice is once.
        second.Dispose();
        await Task.Delay(50, Cancel);
        Assert.False(large.IsCompleted || small.IsCompleted);
        first.Dispose();
        (await large).Dispose();
        (await small).Dispose();
    }

    [Fact]
    public async Task What_is_larger_than_all_of_it_goes_alone()
    {
        using (await _budget.TakeAsync(1_000, Cancel))
        {
            var other = _budget.TakeAsync(1, Cancel);
            await Task.Delay(50, Cancel);
            Assert.False(other.IsCompleted);
        }
        (await _budget.TakeAsync(1, Cancel)).Dispose();
    }

    [Fact]
    public async Task Who_gives_up_waiting_holds_up_nobody()
    {
        using var all = await _budget.TakeAsync(99, Cancel);
        using var giveUp = new CancellationTokenSource();
        var (large, small) = (_budget.TakeAsync(50, giveUp.Token), _budget.TakeAsync(1, Cancel));
        Assert.False(small.IsCompleted);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        (await small).Dispose();
    }
}
