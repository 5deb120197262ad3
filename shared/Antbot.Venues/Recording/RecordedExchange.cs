using Antbot.Contracts;
using Antbot.Contracts.Venue;

namespace Antbot.Venues.Recording;

/// <summary>One request while it is under way. What is handed over is read at once: the buffer is another's afterwards.</summary>
internal sealed class RecordedExchange(TrafficRecorder recorder, string route, string method, string path, string parameters, string? signature)
{
    private const int OurOrderLengthMin = 35;
    private const int TradeLength = 32;

    private readonly long _began = recorder.Clock.GetTimestamp();
    private int? _status;
    private TrafficBody? _body;

    /// <summary>All that came, which of an answer that broke off is not all there was.</summary>
    public void Answered(int status, ReadOnlySpan<byte> body) => (_status, _body) = (status, recorder.Strikeout.Body(body, signature));

    public void Ended<T>(VenueAnswer<T> answer) => Ended(answer switch
    {
        VenueAnswer<T>.Said => "said",
        VenueAnswer<T>.Refused refused => $"refused ({refused.Refusal}): {refused.Code} {refused.Text}",
        VenueAnswer<T>.Unknown unknown => $"unknown: {unknown.Text}",
        VenueAnswer<T>.NotSent notSent => $"not sent: {notSent.Text}",
        _ => throw new InvalidOperationException("An answer is one of four."),
    });

    public void Ended(string outcome)
    {
        var order = ValueOf("newClientOrderId") ?? ValueOf("origClientOrderId");
        recorder.Add(new TrafficRecord(recorder.Clock.GetUtcNow(), TrafficKind.Asked)
        {
            Route = route,
            Method = method,
            Path = path,
            Parameters = recorder.Strikeout.Text(parameters, signature),
            Status = _status,
            Microseconds = (long)recorder.Clock.GetElapsedTime(_began).TotalMicroseconds,
            Outcome = recorder.Strikeout.Text(outcome, signature),
            Order = order,
            Trade = TradeOf(order),
            Symbol = ValueOf("symbol"),
            Body = _body,
        });
    }

    /// <summary>Our own ids end in their trade's.</summary>
    internal static string? TradeOf(string? order) => order is { Length: >= OurOrderLengthMin } && order[^(TradeLength + 1)] == '-' && TradeId.TryParse(order[^TradeLength..], out var trade) ? trade.Value : null;

    private string? ValueOf(string name)
    {
        foreach (var part in parameters.AsSpan().Split('&'))
        {
            var pair = parameters.AsSpan(part);
            if (pair.Length > name.Length && pair[name.Length] == '=' && pair.StartsWith(name, StringComparison.Ordinal))
                return Uri.UnescapeDataString(pair[(name.Length + 1)..]);
        }
        return null;
    }
}
