using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Incidents.Changes;
using Antbot.Incidents.Reports;
using Antbot.ReadModels;

namespace Antbot.Cli.Sources;

/// <param name="Command">halt or resume.</param>
internal sealed record ControlOrder(string Command, string Reason, string By);

/// <param name="Version">The version of `control` that the word has led to.</param>
/// <param name="Note">What did not go as well as it should have, or null.</param>
internal sealed record ControlDone(ControlReport Control, long Version, string By, string Where, string? Note);

/// <param name="State">Proposed, Settled, or Recorded while Execution has not answered.</param>
internal sealed record SettlementDone(string State, string Order, string Trade, string By, string Reason, string? Evidence, string? ProposedBy, DateTimeOffset? ExpiresAt);

internal sealed record TokenEntry(string Name, string Role, DateTimeOffset? ExpiresAt, bool Expired, string By, string From);

internal sealed record TokenList(IReadOnlyList<TokenEntry> Tokens);

/// <param name="Token">Told this once.</param>
internal sealed record TokenDone(string Name, string Role, DateTimeOffset? ExpiresAt, string Token);

internal sealed record TokenRevoked(string Name, string Said);

internal sealed record DeadLetterDone(string Letter, DeadLetterStatus State, string By, string Reason);

/// <summary>Which dead letters are sent once more together, as the Console is asked.</summary>
internal sealed record ReplaysWish(string Reason, string? Endpoint, string? Type, string? Fingerprint, string? Trade, bool All, int? Limit, int? PerSecond);

/// <summary>What is wrong, as the Console is told.</summary>
internal sealed record IncidentWish(string Reason, DateTimeOffset? Since, DateTimeOffset? Until, IReadOnlyList<string> Trades);

/// <summary>Where the command line has its answers from: a Console, or the store itself.</summary>
internal interface ISource : IAsyncDisposable
{
    /// <summary>For people.</summary>
    string Where { get; }

    Task<StatusReport> StatusAsync(CancellationToken cancellationToken);

    Task<Page<TradeView>> TradesAsync(ViewQuery query, CancellationToken cancellationToken);

    /// <param name="id">A trade's id, or a beginning that only one has.</param>
    Task<TradeStory> StoryAsync(string id, CancellationToken cancellationToken);

    /// <summary>The same trade event by event, with what each made of its stream.</summary>
    Task<TradeSteps> StepsAsync(string id, CancellationToken cancellationToken);

    /// <param name="id">Of anything.</param>
    /// <param name="kind">Null for whatever it may be.</param>
    Task<Trace> TraceAsync(string id, TraceKind? kind, CancellationToken cancellationToken);

    /// <summary>What there is to trace.</summary>
    Task<TracePage> TracesAsync(TraceSelection selection, CancellationToken cancellationToken);

    /// <param name="after">The sequence after which to begin; null for what comes from now on.</param>
    IAsyncEnumerable<Watched> WatchAsync(long? after, string? trade, CancellationToken cancellationToken);

    /// <summary>How the account stands beside the venue.</summary>
    /// <param name="whole">The last thousand that were settled, and not fifty.</param>
    Task<ReconciliationReport> ReconciliationAsync(AccountId account, bool whole, CancellationToken cancellationToken);

    /// <param name="confirms">Another operator has proposed it.</param>
    Task<SettlementDone> SettleAsync(string order, bool confirms, string reason, CancellationToken cancellationToken);

    Task<TokenList> TokensAsync(CancellationToken cancellationToken);

    /// <param name="days">So long it lives; null until it is revoked.</param>
    Task<TokenDone> MakeTokenAsync(string name, string role, int? days, string reason, CancellationToken cancellationToken);

    Task<TokenRevoked> RevokeTokenAsync(string name, string reason, CancellationToken cancellationToken);

    Task<Page<DeadLetterView>> DeadLettersAsync(ViewQuery query, CancellationToken cancellationToken);

    Task<Page<DeadLetterGroupView>> DeadLetterGroupsAsync(ViewQuery query, CancellationToken cancellationToken);

    /// <param name="id">A letter's id, or a beginning that only one has.</param>
    Task<DeadLetterStory> DeadLetterAsync(string id, CancellationToken cancellationToken);

    /// <summary>The bytes as they came.</summary>
    /// <param name="edited">As they are sent once more.</param>
    Task<byte[]> DeadLetterBodyAsync(string id, bool edited, CancellationToken cancellationToken);

    /// <param name="patch">A JSON patch of the message.</param>
    Task<DeadLetterDone> EditDeadLetterAsync(string id, JsonElement patch, string reason, CancellationToken cancellationToken);

    Task<DeadLetterDone> DiscardDeadLetterAsync(string id, string reason, CancellationToken cancellationToken);

    Task<DeadLetterDone> GiveUpDeadLetterAsync(string id, string reason, CancellationToken cancellationToken);

    Task<DeadLetterDone> ReplayDeadLetterAsync(string id, string reason, CancellationToken cancellationToken);

    Task<Page<ReplaysView>> ReplaysAsync(ViewQuery query, CancellationToken cancellationToken);

    /// <summary>One selection: how far it is, and what was not replayed.</summary>
    Task<ReplaysStory> ReplaysAsync(string id, CancellationToken cancellationToken);

    Task<ReplaysStory> RequestReplaysAsync(ReplaysWish wish, CancellationToken cancellationToken);

    /// <summary>What would come of one letter if it were sent once more; a line a letter, and the sum last.</summary>
    IAsyncEnumerable<ForesightLine> ForeseeLetterAsync(string id, CancellationToken cancellationToken);

    /// <summary>The same of all that are like that.</summary>
    IAsyncEnumerable<ForesightLine> ForeseeLettersAsync(ReplaysWish wish, CancellationToken cancellationToken);

    /// <summary>The same of what is left of a selection.</summary>
    IAsyncEnumerable<ForesightLine> ForeseeReplaysAsync(string id, CancellationToken cancellationToken);

    /// <param name="command">approve or cancel.</param>
    Task<ReplaysStory> SayOfReplaysAsync(string id, string command, string reason, CancellationToken cancellationToken);

    /// <summary>What changed in a period.</summary>
    Task<ChangePage> ChangesAsync(ChangeSelection selection, CancellationToken cancellationToken);

    Task<Page<IncidentView>> IncidentsAsync(ViewQuery query, CancellationToken cancellationToken);

    /// <param name="id">An incident's id, or a beginning that only one has.</param>
    Task<IncidentStory> IncidentAsync(string id, CancellationToken cancellationToken);

    /// <summary>All that is told of it afterwards.</summary>
    Task<IncidentReport> IncidentReportAsync(string id, CancellationToken cancellationToken);

    Task<IncidentStory> OpenIncidentAsync(IncidentWish wish, CancellationToken cancellationToken);

    /// <param name="command">notes, acknowledge or close.</param>
    Task<IncidentStory> SayOfIncidentAsync(string id, string command, string reason, CancellationToken cancellationToken);

    Task<ControlDone> ControlAsync(ControlOrder order, CancellationToken cancellationToken);
}
