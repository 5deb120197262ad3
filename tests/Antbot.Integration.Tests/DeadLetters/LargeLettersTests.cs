using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Forensics;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.ReadModels;
using Antbot.Runtime;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>However large the bodies of a batch are, no more of them are held at once than there is room for.</summary>
public sealed class LargeLettersTests
{
    private const int BodyBytes = 8 * 1024 * 1024;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_a_batch_no_more_bodies_are_read_at_once_than_there_is_room_for_and_all_have_their_turn()
    {
        var (store, blobs) = (new InMemoryEventStore(Guid.NewGuid()), new SlowBlobs());
        var intents = new ReplayIntents(store, new DeadLetterStories(store, RandomHistory.Codec, null!, blobs));
        var letters = Enumerable.Range(0, 40).Select(_ => Large()).ToList();
        var found = new List<ReplayIntent>();
        await Bounded.ForEachAsync(letters, letters.Count, async (letter, token) =>
        {
            var intent = await intents.OfAsync(letter, new Dictionary<TradeId, TradeLife>(), token);
            lock (found)
                found.Add(intent);
        }, Cancel);
        Assert.Equal(letters.Count, found.Count);
        Assert.InRange(blobs.Most, 2, OpenedLetter.RoomBytes / BodyBytes);
    }

    private static OpenedLetter Large()
    {
        var kept = SeededLetters.Of(Routes.Execution, Guid.NewGuid(), "CloseTrade", "{}") with { Trades = [], Body = null, Content = new ContentHash(new string('0', 64), BodyBytes) };
        return new OpenedLetter(kept, default, new Loaded<DeadLetterState>(DeadLetterState.Initial, 0, 0), LetterBody.After(null, kept)!, default);
    }

    /// <summary>Counts how many are under way at most.</summary>
    private sealed class SlowBlobs : IBlobs
    {
        private readonly Lock _lock = new();
        private int _now;

        public int Most { get; private set; }

        public Task PutAsync(string sha256, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default) => throw new NotSupportedException("Nothing is put here.");

        public async Task<byte[]?> FindAsync(string sha256, CancellationToken cancellationToken = default)
        {
            lock (_lock)
                Most = Math.Max(Most, ++_now);
            await Task.Delay(20, cancellationToken);
            lock (_lock)
                _now--;
            return "{}"u8.ToArray();
        }
    }
}
