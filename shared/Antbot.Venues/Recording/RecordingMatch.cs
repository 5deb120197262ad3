using System.Text.RegularExpressions;

namespace Antbot.Venues.Recording;

/// <summary>
/// Whether a record is what was asked for. Requests that name an order only by the venue's number are found by what the answers before
/// them have said of it; lists by the order's id in them, as far as they were kept.
/// </summary>
internal sealed partial class RecordingMatch(RecordingQuery query)
{
    private const int NumbersMax = 10_000;

    private readonly HashSet<string> _numbers = new(StringComparer.Ordinal);

    public bool Matches(TrafficRecord record) => record.Kind switch
    {
        // Whatever is asked for may be among it.
        TrafficKind.Missing => true,
        TrafficKind.Began or TrafficKind.Ended or TrafficKind.Stream => !query.IsNarrow,
        _ => IsOfSymbol(record) && IsOfOrder(record),
    };

    private bool IsOfSymbol(TrafficRecord record) =>
        query.Symbol is not { } symbol || record.Symbol == symbol || (record.Symbol is null && Says(record, $"\"{symbol}\""));

    private bool IsOfOrder(TrafficRecord record)
    {
        if (!query.IsOfOrder)
            return true;
        var isItsOwn = (query.Order is null || record.Order == query.Order) && (query.Trade is null || record.Trade?.StartsWith(query.Trade, StringComparison.Ordinal) == true);
        if (isItsOwn && record.Body is { } body && _numbers.Count < NumbersMax && Number().Match(body.Text) is { Success: true } number)
            _numbers.Add($"{record.Symbol}/{number.Groups["number"].Value}");
        return isItsOwn || IsByNumber(record) || (Says(record, query.Order) && Says(record, query.Trade is { } trade ? $"-{trade}" : null));
    }

    private bool IsByNumber(TrafficRecord record) =>
        _numbers.Count > 0 && record.Parameters is { } parameters && Asked().Match(parameters) is { Success: true } asked && _numbers.Contains($"{record.Symbol}/{asked.Groups["number"].Value}");

    private static bool Says(TrafficRecord record, string? text) => text is null || record.Body?.Text.Contains(text, StringComparison.Ordinal) == true;

    [GeneratedRegex("\"orderId\":(?<number>[0-9]{1,20})", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Number();

    [GeneratedRegex("(^|&)orderId=(?<number>[0-9]{1,20})(&|$)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Asked();
}
