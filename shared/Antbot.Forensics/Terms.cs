using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.Kernel.Decisions;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;
using Antbot.Validation.Core;

namespace Antbot.Forensics;

/// <summary>
/// The settings that decisions are made with now: those of the deciders in this process, and of those that run elsewhere what their newest decisions say. A
/// setting that was changed since, and that nothing was decided with, cannot be known here.
/// </summary>
public sealed record Terms(Behaviour<TradeState> Trade, Behaviour<RiskState> Risk, Behaviour<SymbolMemory> Validation, IReadOnlyDictionary<string, string> From)
{
    public const string Here = "those of this process";

    /// <summary>So far back it is looked for them.</summary>
    public const int EventsMax = 20_000;

    public static async Task<Terms> ReadAsync(IEventStore store, IServiceProvider here, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(here);
        var (trade, risk, validation) = (Find<TradeState>(here), Find<RiskState>(here), Find<SymbolMemory>(here));
        var recorded = new Recorded();
        if (trade is null || risk is null || validation is null)
            await recorded.ReadAsync(store, cancellationToken);
        return new Terms(
            trade ?? TradeDecider.With(recorded.Patience), risk ?? RiskDecider.With(recorded.Risk), validation ?? ValidationDecider.With(recorded.Validation),
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [TradeDecider.Consumer] = trade is not null ? Here : Said(recorded.PatienceAt),
                [RiskDecider.Consumer] = risk is not null ? Here : Said(recorded.RiskAt),
                [ValidationDecider.Consumer] = validation is not null ? Here : Said(recorded.ValidationAt),
            });
    }

    private static Behaviour<TState>? Find<TState>(IServiceProvider here)
        where TState : class => (Behaviour<TState>?)here.GetService(typeof(Behaviour<TState>));

    private static string Said(long? sequence) => sequence is { } at ? $"those of event {at}" : $"the defaults, for none of the last {EventsMax} events says others";

    private sealed class Recorded
    {
        private static readonly HashSet<string> Saying = new(new[]
        {
            typeof(ExposureReserved), typeof(RiskDeniedRecorded), typeof(SignalValidatedRecorded), typeof(SignalRejectedRecorded), typeof(TradeRaised), typeof(TradeAdopted), typeof(TradeValidated),
            typeof(TradeApproved), typeof(TradeOpenedRecorded), typeof(TradeClosingRecorded), typeof(TradeDeadlinePassed),
        }.Select(StreamKinds.Registry.NameOf), StringComparer.Ordinal);

        public TradePatience Patience { get; private set; } = TradePatience.Default;

        public RiskLimits Risk { get; private set; } = RiskLimits.Default;

        public ValidationLimits Validation { get; private set; } = ValidationLimits.Default;

        public long? PatienceAt { get; private set; }

        public long? RiskAt { get; private set; }

        public long? ValidationAt { get; private set; }

        public async Task ReadAsync(IEventStore store, CancellationToken cancellationToken)
        {
            var after = Math.Max(0, (await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence - EventsMax);
            while (await store.ReadPageAsync(after, HistoryPages.Size, cancellationToken) is { Count: > 0 } page)
            {
                foreach (var stored in page)
                    Take(stored);
                after = page[^1].Sequence;
            }
        }

        private void Take(StoredEvent stored)
        {
            if (!Saying.Contains(stored.Type))
                return;
            var @event = StreamKinds.Codec.Decode(stored);
            switch (@event)
            {
                case ExposureReserved e:
                    (Risk, RiskAt) = (e.Limits, stored.Sequence);
                    break;
                case RiskDeniedRecorded e:
                    (Risk, RiskAt) = (e.Limits, stored.Sequence);
                    break;
                case SignalValidatedRecorded e:
                    (Validation, ValidationAt) = (e.Limits, stored.Sequence);
                    break;
                case SignalRejectedRecorded e:
                    (Validation, ValidationAt) = (e.Limits, stored.Sequence);
                    break;
                default:
                    (Patience, PatienceAt) = (RecordedPatience.Of([@event], stored.Timestamp, Patience), stored.Sequence);
                    break;
            }
        }
    }
}
