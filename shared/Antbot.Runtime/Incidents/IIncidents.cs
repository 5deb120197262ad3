using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.Runtime.Incidents;

/// <summary>Something is wrong that a person should know of afterwards, too.</summary>
/// <param name="Id">The same for every telling of the same thing: it is recorded once.</param>
/// <param name="Cause">What is the same for all that belong together, such as <c>crash:risk/one</c>.</param>
/// <param name="What">In a sentence, without secrets.</param>
/// <param name="Window">What has the same cause and comes within so long behind the last is no incident of its own.</param>
public sealed record IncidentAlert(Guid Id, string Cause, string What, DateTimeOffset SeenAt, TimeSpan Window)
{
    public IncidentSource Source { get; init; } = IncidentSource.Alert;

    /// <summary>From when on it is to be looked at; null where that is when it was seen.</summary>
    public DateTimeOffset? Since { get; init; }

    public IReadOnlyList<TradeId> Trades { get; init; } = [];
}

/// <summary>Where whoever finds that something is wrong says so.</summary>
public interface IIncidents
{
    /// <summary>Returns when it is recorded, or belongs to what is.</summary>
    Task RaiseAsync(IncidentAlert alert, CancellationToken cancellationToken = default);
}
