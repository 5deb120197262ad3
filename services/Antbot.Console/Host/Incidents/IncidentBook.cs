using System.Globalization;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Incidents;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.Incidents;

/// <summary>
/// The record of incidents. Those of one cause are numbered, and the number is part of the id: which one is the last is found by looking
/// whether there is a next one, so that two who see the same thing at once record it in one incident and neither needs a list that may be behind.
/// </summary>
internal sealed class IncidentBook(PipelineParts parts) : IIncidents
{
    public const string Actor = "service:console";

    /// <summary>What is wrong with everything at once is one incident, not one of each thing.</summary>
    public const int OpenedInAnHourMax = 20;

    private const string TooMany = "alerts";
    private const int CauseLengthMax = 200;
    private const int WhatLengthMax = 500;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly StreamPipeline<IncidentState> _pipeline = new(parts, IncidentDecider.Behaviour);
    private readonly Queue<DateTimeOffset> _opened = new();
    private readonly SemaphoreSlim _raising = new(1, 1);

    public static Guid IdOf(string cause, int number) => DeterministicId.From("incident", cause, number.ToString(CultureInfo.InvariantCulture));

    public async Task RaiseAsync(IncidentAlert alert, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(alert);
        var plain = alert with { Cause = Plain(alert.Cause, CauseLengthMax), What = Plain(alert.What, WhatLengthMax) };
        await _raising.WaitAsync(cancellationToken);
        try
        {
            if (!await TryRaiseAsync(plain, mayOpen: HasRoom(), cancellationToken))
                await TryRaiseAsync(plain with { Cause = TooMany, What = Plain($"{plain.Cause}: {plain.What}", WhatLengthMax), Window = Hour }, mayOpen: true, cancellationToken);
        }
        finally
        {
            _raising.Release();
        }
    }

    /// <summary>What was decided on a person's word, now or when it was given first.</summary>
    public async Task<StoredEvent> DecideAsync(Guid incident, Guid request, string by, object word, CancellationToken cancellationToken) =>
        (await RecordAsync(incident, request, word, $"operator:{by}", cancellationToken))[^1];

    public async Task<bool> IsThereAsync(Guid incident, CancellationToken cancellationToken) => (await StateOfAsync(incident, cancellationToken)).Status is not null;

    private async Task<IncidentState> StateOfAsync(Guid incident, CancellationToken cancellationToken) => (await _pipeline.LoadAsync(Streams.Incident(incident), cancellationToken)).State;

    private Task<IReadOnlyList<StoredEvent>> RecordAsync(Guid incident, Guid id, object input, string actor, CancellationToken cancellationToken) =>
        _pipeline.HandleAsync(Streams.Incident(incident), new Input(id, input, incident.ToString("N"), actor), cancellationToken);

    /// <returns>False where it would have to be an incident of its own, and there may not be one.</returns>
    private async Task<bool> TryRaiseAsync(IncidentAlert alert, bool mayOpen, CancellationToken cancellationToken)
    {
        for (var number = await LastAsync(alert.Cause, cancellationToken); ; number++)
        {
            var incident = IdOf(alert.Cause, number);
            var isNew = !await IsThereAsync(incident, cancellationToken);
            if (isNew && !mayOpen && (await parts.Store.FindDecisionAsync(new Decision(alert.Id, IncidentDecider.Consumer), cancellationToken)).Count == 0)
                return false;
            var raise = new RaiseIncident(incident, alert.Source, alert.Cause, alert.What, Actor, alert.SeenAt, alert.Since ?? alert.SeenAt, alert.Window, alert.Trades);
            if ((await RecordAsync(incident, alert.Id, raise, Actor, cancellationToken)).Count > 0)
            {
                if (isNew)
                    _opened.Enqueue(parts.Clock.GetUtcNow());
                return true;
            }
            if (IncidentDecider.Joins(await StateOfAsync(incident, cancellationToken), alert.SeenAt, alert.Window))
                return true;
        }
    }

    /// <summary>The number of the last incident of a cause, in so many looks as the number has bits. They count from 0, and that is the answer where there is none yet, too.</summary>
    private async Task<int> LastAsync(string cause, CancellationToken cancellationToken)
    {
        var (low, high) = (0, 1);
        while (await parts.Store.ReadVersionAsync(Streams.Incident(IdOf(cause, high)), cancellationToken) > 0)
            (low, high) = (high, high * 2);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (await parts.Store.ReadVersionAsync(Streams.Incident(IdOf(cause, middle)), cancellationToken) > 0)
                low = middle;
            else
                high = middle;
        }
        return low;
    }

    private bool HasRoom()
    {
        while (_opened.TryPeek(out var at) && parts.Clock.GetUtcNow() - at > Hour)
            _opened.Dequeue();
        return _opened.Count < OpenedInAnHourMax;
    }

    private static string Plain(string text, int length)
    {
        var line = string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c));
        return line.Length <= length ? line : $"{line[..(length - 1)]}…";
    }
}
