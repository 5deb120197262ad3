using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>All events of one decision, as they are stored and as what they are.</summary>
/// <param name="Message">The message that it was made on, from the event that the message followed from; null where it was made on something else.</param>
public sealed record RecordedDecision(IReadOnlyList<StoredEvent> Stored, IReadOnlyList<object> Events, object? Message)
{
    /// <summary>The time that it was made with.</summary>
    public DateTimeOffset At => Stored[0].Timestamp;
}

/// <summary>What came of making a decision again.</summary>
public abstract record Again
{
    private Again()
    {
    }

    /// <param name="Input">What it was made on.</param>
    public sealed record Decided(object Input, IReadOnlyList<object> Events) : Again;

    /// <summary>The decider does not take the input any more.</summary>
    public sealed record Refused(string Reason) : Again;

    /// <summary>What it rested on is not recorded.</summary>
    public sealed record Impossible(string Reason) : Again;
}

/// <param name="state">Before the decision.</param>
public delegate Again Repeat<in TState>(TState state, RecordedDecision recorded, Overrides overrides);

/// <summary>A kind of stream: whose decisions it holds, how it is folded, and how its decisions are made again.</summary>
public abstract class StreamKind(string service, string name, string consumer, Func<object, IReadOnlyList<object>> react)
{
    public string Service { get; } = service;

    /// <summary>What its streams are called, or begin with where it ends in a hyphen.</summary>
    public string Name { get; } = name;

    public string Consumer { get; } = consumer;

    /// <summary>The messages of one of its events.</summary>
    public Func<object, IReadOnlyList<object>> React { get; } = react;

    /// <summary>Where the messages arrive that its decisions are made on; null where they are made on something else, or keep what they are made on themselves.</summary>
    public string? Endpoint { get; init; }

    /// <summary>What an event was decided on, under the id that its own id is made of; null where no input is named.</summary>
    public Func<StoredEvent, string?> InputOf { get; init; } = static stored => stored.CausationId;

    public bool Has(string stream) => Name[^1] == '-' ? stream.StartsWith(Name, StringComparison.Ordinal) : stream == Name;

    /// <summary>Whether this kind's own service recorded it, as the first event of a decision; nobody else can have by chance.</summary>
    public bool IsOwn(StoredEvent stored) =>
        InputOf(stored) is { } cause && Guid.TryParseExact(cause, "N", out var input) && stored.EventId == new Decision(input, Consumer).EventId(0);

    /// <summary>A stream of it, at its beginning.</summary>
    public abstract FollowedStream Follow(string stream);

    /// <summary>Whoever tells what messages to it would come to; null where it takes none.</summary>
    internal abstract IForeseer? Foreseer(PipelineParts parts, Terms terms);
}

public sealed class StreamKind<TState>(string service, string name, Behaviour<TState> behaviour, Repeat<TState> repeat) : StreamKind(service, name, behaviour.Consumer, behaviour.React)
    where TState : class
{
    /// <summary>Whose account a stream is about; null where it is about none, or that is not known yet.</summary>
    public Func<string, TState, AccountId?> AccountOf { get; init; } = static (_, _) => null;

    /// <summary>Where a message to it is decided; null where it takes none.</summary>
    public Func<ITradeMessage, StreamId>? StreamOf { get; init; }

    /// <summary>What a message is decided on. More than one where the venue has its say as well: what they all come to holds whatever it says. Null where all of it depends on that.</summary>
    public Func<TState, ITradeMessage, DateTimeOffset, IReadOnlyList<object>?> InputsOf { get; init; } = static (_, message, _) => [message];

    /// <summary>With the settings that decisions are made with now.</summary>
    public Func<Terms, Behaviour<TState>>? With { get; init; }

    internal override IForeseer? Foreseer(PipelineParts parts, Terms terms) => StreamOf is { } streamOf
        ? new Foreseer<TState>(new StreamPipeline<TState>(parts, With?.Invoke(terms) ?? behaviour), behaviour, parts, streamOf, InputsOf)
        : null;

    public override FollowedStream Follow(string stream) => new Following(this, stream, behaviour, repeat, AccountOf);

    private sealed class Following(StreamKind kind, string stream, Behaviour<TState> behaviour, Repeat<TState> repeat, Func<string, TState, AccountId?> accountOf) : FollowedStream(kind, stream)
    {
        private TState _state = behaviour.Fold.Initial;

        public override object State => _state;

        public override string FoldName => behaviour.Fold.Name;

        public override bool IsOver => behaviour.IsOver(_state);

        public override AccountId? Account => accountOf(Stream, _state);

        public override Again DecideAgain(RecordedDecision recorded, Overrides overrides)
        {
            try
            {
                return repeat(_state, recorded, overrides);
            }
            catch (Exception e)
            {
                // Whatever a decider throws, it has not decided.
                return new Again.Refused(e.Message);
            }
        }

        protected override void Apply(object @event) => _state = behaviour.Fold.Apply(_state, @event);
    }
}

/// <summary>One stream, folded as far as it has been read.</summary>
public abstract class FollowedStream(StreamKind kind, string stream)
{
    public StreamKind Kind { get; } = kind;

    public string Stream { get; } = stream;

    public long Version { get; private set; }

    /// <summary>Nothing more is expected in it.</summary>
    public abstract bool IsOver { get; }

    /// <summary>Whose it is; null where it is nobody's, or that is not known yet.</summary>
    public abstract AccountId? Account { get; }

    public abstract object State { get; }

    /// <summary>Makes a decision again that was made on this state. Never throws, and folds nothing.</summary>
    public abstract Again DecideAgain(RecordedDecision recorded, Overrides overrides);

    /// <summary>Under which copies of its state are kept.</summary>
    public abstract string FoldName { get; }

    public void Add(StoredEvent stored, object @event)
    {
        ArgumentNullException.ThrowIfNull(stored);
        if (stored.Version != Version + 1)
            throw new EventStoreException(StoreFault.Corrupt, $"{stored.Stream} goes from version {Version} to {stored.Version}. Run 'antbot verify'.");
        Apply(@event);
        Version = stored.Version;
    }

    protected abstract void Apply(object @event);
}
