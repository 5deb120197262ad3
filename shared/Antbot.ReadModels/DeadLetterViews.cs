using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.ReadModels;

/// <summary>A dead letter as a list shows it.</summary>
/// <param name="Reason">Of whoever decided about it last, or why it came back.</param>
/// <param name="Edits">How often its message was changed.</param>
/// <param name="Effect">The sequence of the event that shows that it was worked on in the end.</param>
/// <param name="IsOut">A copy of it is on its way, whatever was decided about it since.</param>
public sealed record DeadLetterView(
    string Id, DeadLetterStatus State, string Queue, string Endpoint, DeadLetterKind Kind, Guid? Message, string MessageType, IReadOnlyList<TradeId> Trades,
    string FaultType, string Fault, int? Attempts, DateTimeOffset? FailedAt, string Build, string Fingerprint, long Bytes, DateTimeOffset KeptAt, DateTimeOffset ChangedAt, string By, string Reason,
    int Replays, long? Effect, int Edits = 0, bool IsOut = false)
{
    /// <summary>What <see cref="ViewTables.Astray"/> says of those to which it applies; nothing of the others.</summary>
    public const string IsAstray = "yes";

    /// <summary>It is over, by somebody's word, and a copy of it is on its way.</summary>
    internal bool Strays => IsOut && State is (DeadLetterStatus.Discarded or DeadLetterStatus.Expired);

    /// <summary>The states in which a letter may be sent once more.</summary>
    public static IReadOnlyList<string> Waiting { get; } = [nameof(DeadLetterStatus.New), nameof(DeadLetterStatus.Edited)];
}

/// <summary>All dead letters of one cause.</summary>
/// <param name="Letters">How many stand in which state.</param>
/// <param name="Fault">What the newest of them says.</param>
/// <param name="Example">The newest of them.</param>
public sealed record DeadLetterGroupView(
    string Fingerprint, string Endpoint, DeadLetterKind Kind, string MessageType, string FaultType, string Fault, string Example, IReadOnlyDictionary<DeadLetterStatus, long> Letters,
    DateTimeOffset FirstSeen, DateTimeOffset LastSeen, string FirstBuild, string LastBuild)
{
    public const string Open = "Open";
    public const string Settled = "Settled";

    /// <summary>Open while nothing has been decided about one of them.</summary>
    public string State => Waiting > 0 ? Open : Settled;

    /// <summary>About so many nothing has been decided.</summary>
    public long Waiting => Letters.GetValueOrDefault(DeadLetterStatus.New) + Letters.GetValueOrDefault(DeadLetterStatus.Edited);
}
