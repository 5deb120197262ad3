using System.Text.Json;
using System.Runtime.CompilerServices;
using Antbot.Cli.Commands;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Incidents.Changes;
using Antbot.Incidents.Reports;
using Antbot.Kernel.Control;
using Antbot.ReadModels;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;

namespace Antbot.Cli.Sources;

/// <summary>Asks the history itself, whatever else is down. Its read models are brought up to date first, where that is allowed.</summary>
internal sealed class StoreSource(IHistoryPlace place) : ISource
{
    private const int PageSize = 500;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(TradeRaised).Assembly));

    private IEventStore? _store;
    private IReadModels? _models;
    private IBlobs? _blobs;

    public string Where => place.Where;

    public async Task<StatusReport> StatusAsync(CancellationToken cancellationToken) => await (await QueriesAsync(cancellationToken)).StatusAsync(cancellationToken: cancellationToken);

    public async Task<Page<TradeView>> TradesAsync(ViewQuery query, CancellationToken cancellationToken) =>
        await (await QueriesAsync(cancellationToken)).ListAsync<TradeView>(ViewTable.Trades, query, cancellationToken);

    public async Task<TradeStory> StoryAsync(string id, CancellationToken cancellationToken)
    {
        var queries = await QueriesAsync(cancellationToken);
        return await queries.StoryAsync(await ResolveAsync(queries, id, cancellationToken), cancellationToken) ?? throw NoSuchTrade(id);
    }

    public async Task<TradeSteps> StepsAsync(string id, CancellationToken cancellationToken)
    {
        var trade = await ResolveAsync(await QueriesAsync(cancellationToken), id, cancellationToken);
        var steps = await new TimeTravel(await OpenAsync(cancellationToken)).StepsAsync(trade, cancellationToken);
        return steps.Steps.Count > 0 ? steps : throw NoSuchTrade(id);
    }

    public async Task<Trace> TraceAsync(string id, TraceKind? kind, CancellationToken cancellationToken)
    {
        await QueriesAsync(cancellationToken);
        var tracer = new Tracer(_store!, new TraceIndex(_models!));
        return await tracer.ResolveAsync(id, kind, cancellationToken) switch
        {
            [var only] => await tracer.TraceAsync(only, cancellationToken) ?? throw NoSuchThing(id),
            [] => throw NoSuchThing(id),
            var many => throw new CommandException("NotUnique", $"{id} is more than one thing: {string.Join(", ", many.Select(t => $"{t.Kind} {t.Id}"))}. Say --kind, or more digits."),
        };
    }

    public async Task<TracePage> TracesAsync(TraceSelection selection, CancellationToken cancellationToken)
    {
        await QueriesAsync(cancellationToken);
        return await new TraceSelector(_store!, new TraceIndex(_models!)).SelectAsync(selection, cancellationToken);
    }

    public async IAsyncEnumerable<Watched> WatchAsync(long? after, string? trade, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var store = await OpenAsync(cancellationToken);
        var position = after ?? (await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence;
        while (true)
        {
            var mark = store.AppendMark;
            var page = await store.ReadPageAsync(position, PageSize, EventPage.EveryStream, cancellationToken);
            foreach (var watched in Watched.Of(page, trade))
                yield return watched;
            if (page.Through > position)
                position = page.Through;
            else
                await store.WaitForAppendAsync(mark, Poll, cancellationToken);
        }
    }

    public async Task<ReconciliationReport> ReconciliationAsync(AccountId account, bool whole, CancellationToken cancellationToken) =>
        await Reconciliations.ReadAsync(await OpenAsync(cancellationToken), account, whole, cancellationToken)
        ?? throw new CommandException("NotFound", $"Nothing was ever recorded of the account {account}.", ExitCode.NotFound);

    public Task<SettlementDone> SettleAsync(string order, bool confirms, string reason, CancellationToken cancellationToken) =>
        throw new CommandException("Unavailable", "Only the Console knows two operators apart. Name it with --console and your own token with --token-file.");

    public Task<TokenList> TokensAsync(CancellationToken cancellationToken) => throw NoTokens();

    public Task<TokenDone> MakeTokenAsync(string name, string role, int? days, string reason, CancellationToken cancellationToken) => throw NoTokens();

    public Task<TokenRevoked> RevokeTokenAsync(string name, string reason, CancellationToken cancellationToken) => throw NoTokens();

    public async Task<Page<DeadLetterView>> DeadLettersAsync(ViewQuery query, CancellationToken cancellationToken) =>
        await (await QueriesAsync(cancellationToken)).ListAsync<DeadLetterView>(ViewTable.DeadLetters, query, cancellationToken);

    public async Task<Page<DeadLetterGroupView>> DeadLetterGroupsAsync(ViewQuery query, CancellationToken cancellationToken) =>
        await (await QueriesAsync(cancellationToken)).ListAsync<DeadLetterGroupView>(ViewTable.DeadLetterGroups, query, cancellationToken);

    public async Task<DeadLetterStory> DeadLetterAsync(string id, CancellationToken cancellationToken)
    {
        var (stories, letter) = await LetterAsync(id, cancellationToken);
        return await stories.ReadAsync(letter, cancellationToken) ?? throw NoSuchLetter(id);
    }

    public async Task<byte[]> DeadLetterBodyAsync(string id, bool edited, CancellationToken cancellationToken)
    {
        var (stories, letter) = await LetterAsync(id, cancellationToken);
        return await (edited ? stories.ReadToSendAsync(letter, cancellationToken: cancellationToken) : stories.ReadBodyAsync(letter, cancellationToken)) ?? throw NoSuchLetter(id);
    }

    public Task<DeadLetterDone> EditDeadLetterAsync(string id, JsonElement patch, string reason, CancellationToken cancellationToken) => throw NoOperator();

    public Task<DeadLetterDone> DiscardDeadLetterAsync(string id, string reason, CancellationToken cancellationToken) => throw NoOperator();

    public Task<DeadLetterDone> GiveUpDeadLetterAsync(string id, string reason, CancellationToken cancellationToken) => throw NoOperator();

    public Task<DeadLetterDone> ReplayDeadLetterAsync(string id, string reason, CancellationToken cancellationToken) => throw NoOperator();

    public IAsyncEnumerable<ForesightLine> ForeseeLetterAsync(string id, CancellationToken cancellationToken) => throw NoDeciders();

    public IAsyncEnumerable<ForesightLine> ForeseeLettersAsync(ReplaysWish wish, CancellationToken cancellationToken) => throw NoDeciders();

    public IAsyncEnumerable<ForesightLine> ForeseeReplaysAsync(string id, CancellationToken cancellationToken) => throw NoDeciders();

    public Task<Page<ReplaysView>> ReplaysAsync(ViewQuery query, CancellationToken cancellationToken) => throw NoOperator();

    public Task<ReplaysStory> ReplaysAsync(string id, CancellationToken cancellationToken) => throw NoOperator();

    public Task<ReplaysStory> RequestReplaysAsync(ReplaysWish wish, CancellationToken cancellationToken) => throw NoOperator();

    public Task<ReplaysStory> SayOfReplaysAsync(string id, string command, string reason, CancellationToken cancellationToken) => throw NoOperator();

    public async Task<ChangePage> ChangesAsync(ChangeSelection selection, CancellationToken cancellationToken)
    {
        await QueriesAsync(cancellationToken);
        return await new ChangeLog(_store!, _models!).ReadAsync(selection, cancellationToken) ?? throw new CommandException("Usage", ChangeSelection.AfterFault, ExitCode.Usage);
    }

    public async Task<Page<IncidentView>> IncidentsAsync(ViewQuery query, CancellationToken cancellationToken) => await (await QueriesAsync(cancellationToken)).ListAsync<IncidentView>(
        // What is told of many at once stands in one table.
        ViewTable.Summaries, query.States.Count > 0 ? query : query with { States = Enum.GetNames<IncidentStatus>() }, cancellationToken);

    public async Task<IncidentStory> IncidentAsync(string id, CancellationToken cancellationToken)
    {
        var (stories, incident) = await IncidentOfAsync(id, cancellationToken);
        return await stories.ReadAsync(incident, cancellationToken) ?? throw NoSuchIncident(id);
    }

    public async Task<IncidentReport> IncidentReportAsync(string id, CancellationToken cancellationToken)
    {
        var (_, incident) = await IncidentOfAsync(id, cancellationToken);
        using var progress = new Progress("reading the period");
        return await new IncidentReporter(_store!, Codec, _models!, TimeProvider.System).ReadAsync(incident, progress.Report, cancellationToken) ?? throw NoSuchIncident(id);
    }

    public Task<IncidentStory> OpenIncidentAsync(IncidentWish wish, CancellationToken cancellationToken) => throw NoIncidentOperator();

    public Task<IncidentStory> SayOfIncidentAsync(string id, string command, string reason, CancellationToken cancellationToken) => throw NoIncidentOperator();

    public async Task<ControlDone> ControlAsync(ControlOrder order, CancellationToken cancellationToken)
    {
        var command = new SetActivity(order.Command == "halt" ? Activity.Halted : Activity.Active, order.Reason, order.By);
        var id = Guid.NewGuid();
        var store = await OpenAsync(cancellationToken);
        StoredEvent recorded;
        try
        {
            recorded = await SendAsync(store);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Forbidden && place.OpenForControl() is { } controlOnly)
        {
            await using var narrow = controlOnly;
            recorded = await SendAsync(narrow);
        }
        var state = ControlState.Fold.Apply((await new StreamLoader(store, Codec).LoadAsync(Streams.Control, ControlState.Fold, cancellationToken)).State, Codec.Decode(recorded));
        return new ControlDone(ControlReport.Of(state, recorded.Version), recorded.Version, order.By, Where, null);

        async Task<StoredEvent> SendAsync(IEventStore to) => (await ControlCommands.SendAsync(to, Codec, command, id, $"operator:{order.By}", TimeProvider.System, cancellationToken)).Event;
    }

    /// <summary>Makes the read models anew, from the first event on; says how far, and what they lack.</summary>
    public async Task<(long Position, string? LeftOut)> RebuildAsync(CancellationToken cancellationToken)
    {
        var store = await OpenAsync(cancellationToken);
        var models = _models ??= await place.OpenModelsAsync(store, cancellationToken);
        await models.ClearAsync(cancellationToken);
        await CatchUpAsync(store, models, cancellationToken);
        return (await models.ReadPositionAsync(cancellationToken), await ReadModelQueries.LeftOutAsync(models, cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (_models is not null)
            await _models.DisposeAsync();
        if (_blobs is IAsyncDisposable blobs)
            await blobs.DisposeAsync();
        if (_store is not null)
            await _store.DisposeAsync();
        place.Dispose();
    }

    private async Task<IEventStore> OpenAsync(CancellationToken cancellationToken) => _store ??= await place.OpenAsync(cancellationToken);

    private async Task<ReadModelQueries> QueriesAsync(CancellationToken cancellationToken)
    {
        var store = await OpenAsync(cancellationToken);
        _models ??= await place.OpenModelsAsync(store, cancellationToken);
        try
        {
            await CatchUpAsync(store, _models, cancellationToken);
        }
        catch (EventStoreException e) when (e.Fault is StoreFault.Forbidden or StoreFault.ReadOnly)
        {
            await Console.Error.WriteLineAsync("antbot: the read models may be behind the history: these credentials may not bring them up to date.");
        }
        return new ReadModelQueries(store, Codec, _models, TimeProvider.System);
    }

    private async Task<(DeadLetterStories Stories, Guid Letter)> LetterAsync(string id, CancellationToken cancellationToken)
    {
        await QueriesAsync(cancellationToken);
        var stories = new DeadLetterStories(_store!, Codec, _models!, _blobs ??= place.OpenBlobs());
        var found = await stories.ResolveAsync(id, cancellationToken);
        return found.Count switch
        {
            1 => (stories, found[0]),
            0 => throw NoSuchLetter(id),
            _ => throw new CommandException("NotUnique", $"More than one dead letter begins with {id}; give more digits."),
        };
    }

    private async Task<(IncidentStories Stories, Guid Incident)> IncidentOfAsync(string id, CancellationToken cancellationToken)
    {
        await QueriesAsync(cancellationToken);
        var stories = new IncidentStories(_store!, Codec, _models!);
        return await stories.ResolveAsync(id, cancellationToken) switch
        {
            [var only] => (stories, only),
            [] => throw NoSuchIncident(id),
            _ => throw new CommandException("NotUnique", $"More than one incident begins with {id}; give more digits."),
        };
    }

    private static CommandException NoDeciders() =>
        new("Unavailable", "What would come of a dead letter is told by the Console, which knows the settings that it would be decided with. Name it with --console and a token with --token-file.");

    private static CommandException NoOperator() =>
        new("Unavailable", "What is done about a dead letter goes through the Console, which knows who does it. Name it with --console and your own token with --token-file.");

    private static CommandException NoIncidentOperator() =>
        new("Unavailable", "What is said of an incident goes through the Console, which knows who says it. Name it with --console and your own token with --token-file.");

    private static CommandException NoSuchIncident(string id) => new("NotFound", $"There is no incident {id}.", ExitCode.NotFound);

    private static CommandException NoSuchLetter(string id) => new("NotFound", $"There is no dead letter {id}.", ExitCode.NotFound);

    internal static async Task CatchUpAsync(IEventStore store, IReadModels models, CancellationToken cancellationToken)
    {
        var end = (await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence;
        using var progress = new Progress("reading the history");
        await new ViewProjection(store, Codec, models, TimeProvider.System).CatchUpAsync(position => progress.Report(Math.Max(0, position), end), cancellationToken);
    }

    private static async Task<TradeId> ResolveAsync(ReadModelQueries queries, string id, CancellationToken cancellationToken) => await queries.ResolveAsync(id, cancellationToken) switch
    {
        [var only] => only,
        [] => throw NoSuchTrade(id),
        _ => throw new CommandException("NotUnique", $"More than one trade begins with {id}; give more digits."),
    };

    private static CommandException NoSuchThing(string id) => new("NotFound", $"Nothing in the history bears the id {id}.", ExitCode.NotFound);

    private static CommandException NoSuchTrade(string id) => new("NotFound", $"There is no trade {id}.", ExitCode.NotFound);

    private static CommandException NoTokens() => new("Unavailable", "Tokens open the Console, and only it knows who may make them. Name it with --console and a super admin's token with --token-file.");
}
