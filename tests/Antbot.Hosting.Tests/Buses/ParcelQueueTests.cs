using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

public sealed class ParcelQueueTests
{
    private readonly List<(IReadOnlyList<Guid> Messages, TaskCompletionSource Done)> _sent = [];
    private readonly SemaphoreSlim _more = new(0);
    private readonly ParcelQueue _queue;

    public ParcelQueueTests() => _queue = new ParcelQueue(messages =>
    {
        var done = new TaskCompletionSource();
        lock (_sent)
            _sent.Add(([.. messages.Select(m => m.Message.Id)], done));
        _more.Release();
        return done.Task;
    });

    [Fact]
    public async Task What_comes_while_another_is_on_its_way_goes_together_and_in_order()
    {
        var first = SendAsync(Message());
        var one = await SentAsync(0);
        Assert.Single(one.Messages);
        var later = Enumerable.Range(0, Parcel.MessagesMax + 10).Select(_ => Message()).ToList();
        var sends = later.Select(m => SendAsync(m)).ToList();
        Assert.False(first.IsCompleted);
        one.Done.SetResult();
        await first;

        var full = await SentAsync(1);
        Assert.Equal(later.Take(Parcel.MessagesMax).Select(m => m.Message.Id), full.Messages);
        Assert.All(sends, s => Assert.False(s.IsCompleted));
        full.Done.SetResult();
        await Task.WhenAll(sends.Take(Parcel.MessagesMax));
        var rest = await SentAsync(2);
        Assert.Equal(later.Skip(Parcel.MessagesMax).Select(m => m.Message.Id), rest.Messages);
        Assert.False(sends[^1].IsCompleted);
        rest.Done.SetResult();
        await Task.WhenAll(sends);
    }

    [Fact]
    public async Task A_parcel_is_never_larger_than_it_may_be_and_what_is_larger_by_itself_goes_alone()
    {
        var all = SendAsync(Message(200_000), Message(50_000), Message(50_000), Message(Parcel.BytesMax * 2), Message(1));
        foreach (var (i, count) in new[] { 2, 1, 1, 1 }.Index())
        {
            var parcel = await SentAsync(i);
            Assert.Equal(count, parcel.Messages.Count);
            parcel.Done.SetResult();
        }
        await all;
    }

    [Fact]
    public async Task A_parcel_that_was_not_confirmed_fails_for_those_in_it_and_for_nobody_else()
    {
        var first = SendAsync(Message());
        var lost = await SentAsync(0);
        var second = SendAsync(Message());
        lost.Done.SetException(new BusUnavailableException("gone"));
        Assert.Equal("gone", (await Assert.ThrowsAsync<BusUnavailableException>(() => first)).Message);
        (await SentAsync(1)).Done.SetResult();
        await second;
    }

    [Fact]
    public async Task Who_gives_up_while_waiting_is_not_sent_any_more()
    {
        var first = SendAsync(Message());
        var one = await SentAsync(0);
        using var patience = new CancellationTokenSource();
        var impatient = _queue.SendAsync([Message()], patience.Token);
        var patient = Message();
        var last = SendAsync(patient);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        one.Done.SetResult();
        await first;
        var next = await SentAsync(1);
        Assert.Equal([patient.Message.Id], next.Messages);
        next.Done.SetResult();
        await last;
    }

    private static ParcelledMessage Message(int bytes = 100) => new(new OutboundMessage(Guid.NewGuid(), Routes.Risk, "", null, null), new byte[bytes]);

    private Task SendAsync(params ParcelledMessage[] messages) => _queue.SendAsync(messages, TestContext.Current.CancellationToken);

    private async Task<(IReadOnlyList<Guid> Messages, TaskCompletionSource Done)> SentAsync(int index)
    {
        await _more.WaitAsync(TestContext.Current.CancellationToken);
        lock (_sent)
        {
            Assert.Equal(index + 1, _sent.Count);
            return _sent[index];
        }
    }
}
