namespace Antbot.Runtime.Store;

public sealed record SealerOptions
{
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long after its number was drawn an event may be committed and still be found by the next look. What takes longer is found by the next whole one.</summary>
    public TimeSpan Recent { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often it looks at everything, and not only at what is recent.</summary>
    public TimeSpan WholeEvery { get; init; } = TimeSpan.FromHours(1);
}

public enum SealerNews
{
    Sealed,

    /// <summary>Somebody changed what is in the chain, or put something beside it that contradicts it.</summary>
    Refused,

    /// <summary>The store does not answer.</summary>
    Away,

    Back,
}

/// <summary>
/// Adopts what somebody else appended, at a pace, for as long as it runs. Any number may run at once, on one store: they seal under the
/// lock of the appends, and what one of them has sealed the others pass over.
/// </summary>
/// <param name="say">Hears of each change once, however often it looks.</param>
public sealed class Sealer(ILedger ledger, TimeProvider clock, Action<SealerNews, string> say, SealerOptions? options = null)
{
    private const int Page = 1_000;
    private const int SaidMax = 1_000;

    private readonly SealerOptions _options = options ?? new SealerOptions();
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);
    private long? _wholeDue;
    private (long At, long Sequence) _recent;
    private (long At, long Sequence) _coming;
    private bool _isAway;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.Every, clock);
        try
        {
            do
                await TryAsync(cancellationToken);
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task TryAsync(CancellationToken cancellationToken)
    {
        try
        {
            await LookAsync(cancellationToken);
            if (_isAway)
                say(SealerNews.Back, "The sealer goes on: the store answers again.");
            _isAway = false;
        }
        // Without the right to seal it ends: where one of many seals, another may have it.
        catch (EventStoreException e) when (e.Fault != StoreFault.Forbidden)
        {
            if (!_isAway)
                say(SealerNews.Away, $"Nothing can be sealed: {e.Message}");
            _isAway = true;
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetTimestamp();
        var head = await ledger.ReadHeadAsync(cancellationToken);
        var whole = _wholeDue is not { } due || now >= due;
        await SealAsync(whole ? long.MinValue : _recent.Sequence, cancellationToken);
        if (whole)
        {
            // The first one cannot know what was under way when it began; the second comes when that is over.
            var pause = _wholeDue is null ? _options.Recent : _options.WholeEvery;
            if (_wholeDue is null)
                _recent = _coming = (now, head.Sequence);
            _wholeDue = now + (long)(pause.TotalSeconds * clock.TimestampFrequency);
        }
        if (clock.GetElapsedTime(_coming.At, now) >= _options.Recent)
            (_recent, _coming) = (_coming, (now, head.Sequence));
    }

    private async Task SealAsync(long after, CancellationToken cancellationToken)
    {
        var (all, found) = (0L, SealSummary.Nothing);
        do
        {
            found = await ledger.SealAsync(Page, after, cancellationToken);
            all += found.Sealed;
        }
        while (found.Sealed == Page);
        if (all > 0)
            say(SealerNews.Sealed, $"Sealed {all:N0} events that another program appended.");
        // What was said long ago may be said again: memory has a limit.
        if (_said.Count > SaidMax)
            _said.Clear();
        foreach (var refusal in found.Refused.Where(r => _said.Add(r.What)))
            say(SealerNews.Refused, $"Not sealed: {refusal.What}. Run 'antbot verify'.");
    }
}
