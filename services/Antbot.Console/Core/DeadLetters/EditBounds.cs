using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Messages;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>
/// What a person may not make of a message, however well it could be read: another one than it was, or one that takes more than was
/// granted to it. What it was is looked at as it stands, because it may be no message that anybody could read.
/// </summary>
public static class EditBounds
{
    /// <param name="about">The trade that its letter is about, where the message itself does not say so.</param>
    public static IReadOnlyList<string> FaultsOf(JsonElement before, ITradeMessage after, TradeId? about)
    {
        ArgumentNullException.ThrowIfNull(after);
        return after is SettleOrder
            ? ["It is an operator's own word: nobody else puts it otherwise. Discard it, and say it anew."]
            : [.. new[] { Trade(before, after, about), Account(before, after), Time(before, after) }.Concat(Granted(before, after)).OfType<string>()];
    }

    private static string? Trade(JsonElement before, ITradeMessage after, TradeId? about)
    {
        var was = new[] { Text(before, "trade"), Text(before, "signal", "trade") }.Select(t => TradeId.TryParse(t, out var trade) ? trade : (TradeId?)null).FirstOrDefault(t => t is not null) ?? about;
        return was is not { } trade ? "Which trade it is about cannot be said, and so not that it stays so."
            : trade != after.Trade ? $"It is about the trade {trade}, and does not become one about {after.Trade}."
            : null;
    }

    private static string? Account(JsonElement before, ITradeMessage after) =>
        (Text(before, "account") ?? Text(before, "signal", "account")) is { } was && AccountOf(after) is { } account && account.Value != was ? $"It is about the account '{was}', and does not become one about {account}." : null;

    /// <summary>Whoever wished said until when.</summary>
    private static string? Time(JsonElement before, ITradeMessage after) =>
        Member(before, "signal", "validUntil") is { ValueKind: JsonValueKind.String } text && text.TryGetDateTimeOffset(out var was) && SignalOf(after) is { } signal && signal.ValidUntil > was
            ? $"Its signal was valid until {was.ToUniversalTime():u}, and is not for longer."
            : null;

    /// <summary>Nobody asks Risk again about what it has granted.</summary>
    private static IEnumerable<string?> Granted(JsonElement before, ITradeMessage after)
    {
        Money? reserved = after switch
        {
            ExecuteTrade m => m.Reserved,
            RiskApproved m => m.Reserved,
            _ => null,
        };
        if (reserved is not { } now)
            yield break;
        if (Member(before, "reserved") is not { ValueKind: JsonValueKind.Number } number || !number.TryGetDecimal(out var granted))
            yield return "What Risk has granted cannot be read in it, and so not that it is no more.";
        else if (now.Value > granted)
            yield return $"Risk has granted {granted}, and not {now}.";
        if (after is not ExecuteTrade { Signal: var signal })
            yield break;
        if (Text(before, "signal", "symbol") != signal.Symbol.Value)
            yield return $"Risk has granted it in {Text(before, "signal", "symbol") ?? "a symbol that cannot be read"}, and not in {signal.Symbol}.";
        if (Member(before, "signal", "side") is not { } side || !IsSide(side, signal.Side))
            yield return $"Risk has granted it for another side than {signal.Side}.";
        if ((Member(before, "inSymbol") is { ValueKind: JsonValueKind.Number } place && place.TryGetInt32(out var counted) ? counted : (int?)null) != ((ExecuteTrade)after).InSymbol)
            yield return "The how manieth in its symbol it is Risk has counted, and nobody else.";
    }

    private static bool IsSide(JsonElement said, Side side) => said.ValueKind == JsonValueKind.Number ? said.TryGetInt32(out var number) && number == (int)side
        : said.ValueKind == JsonValueKind.String && string.Equals(said.GetString(), side.ToString(), StringComparison.OrdinalIgnoreCase);

    private static Signal? SignalOf(ITradeMessage message) => message switch
    {
        SignalRaised m => m.Signal,
        ValidateSignal m => m.Signal,
        AssessRisk m => m.Signal,
        ExecuteTrade m => m.Signal,
        AdoptTrade m => m.Signal,
        AdoptPosition m => m.Signal,
        _ => null,
    };

    private static AccountId? AccountOf(ITradeMessage message) => SignalOf(message)?.Account ?? message switch
    {
        CancelTrade m => m.Account,
        CloseTrade m => m.Account,
        EntryFailed m => m.Account,
        EntryUnknown m => m.Account,
        TradeOpened m => m.Account,
        TradeClosing m => m.Account,
        TradeClosed m => m.Account,
        VerifyTrade m => m.Account,
        DriftFound m => m.Account,
        CorrectOrder m => m.Account,
        WriteOffPosition m => m.Account,
        _ => null,
    };

    private static string? Text(JsonElement message, params ReadOnlySpan<string> path) => Member(message, path) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>As it is read: small letters and large ones are the same, and the last one counts.</summary>
    private static JsonElement? Member(JsonElement message, params ReadOnlySpan<string> path)
    {
        var element = message;
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object)
                return null;
            JsonElement? found = null;
            foreach (var member in element.EnumerateObject())
            {
                if (member.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                    found = member.Value;
            }
            if (found is not { } inner)
                return null;
            element = inner;
        }
        return element;
    }
}
