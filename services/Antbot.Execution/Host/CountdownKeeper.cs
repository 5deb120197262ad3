using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.Logging;

namespace Antbot.Execution;

/// <summary>
/// Under a lease: keeps the venue's own dead man's switch from running out, where it has one, so that with every process of ours dead
/// what was entered does not rest for ever. It runs whether or not anything rests: then no entry is ever without it, and when we stop it is left to run out.
/// </summary>
public sealed class CountdownKeeper(IVenue venue, ExecutionOptions options, TimeProvider clock, ILogger<CountdownKeeper> log)
{
    /// <summary>It may fail to be renewed once, and once more, and still not run out.</summary>
    private const int Parts = 3;

    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);

    private volatile string? _trouble;

    /// <summary>Why it may run out though we are here; null where all is well, or another instance keeps it.</summary>
    public string? Trouble => _trouble;

    /// <summary>What there is, in a word.</summary>
    public string Standing => venue.EntryCountdown is null ? $"{venue.Name} has none"
        : options.EntryCountdownSeconds == 0 ? "it is switched off"
        : $"{options.EntryCountdownSeconds} s, renewed every {options.EntryCountdownSeconds / Parts} s";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (venue.EntryCountdown is not { } countdown || options.EntryCountdownSeconds == 0)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken);
            return;
        }
        var length = TimeSpan.FromSeconds(options.EntryCountdownSeconds);
        try
        {
            while (true)
            {
                var isArmed = Heed(await countdown.ArmAsync(length, cancellationToken));
                await Task.Delay(isArmed ? length / Parts : AgainAfter, clock, cancellationToken);
            }
        }
        finally
        {
            _trouble = null;
        }
    }

    private bool Heed(VenueAnswer<DateTimeOffset> answer)
    {
        if (answer is VenueAnswer<DateTimeOffset>.Said)
        {
            if (_trouble is not null)
                log.LogInformation("{Venue} has taken the countdown for entries again", venue.Name);
            _trouble = null;
            return true;
        }
        if (_trouble is null)
            log.LogWarning("{Venue} does not take the countdown for entries, which it may cancel when that has run out: {Answer}", venue.Name, answer);
        _trouble = $"The venue does not take the countdown for entries, and may cancel those that rest: {answer}";
        return false;
    }
}
