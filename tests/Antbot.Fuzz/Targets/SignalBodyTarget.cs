using System.Globalization;
using Antbot.Contracts;
using Antbot.Fuzz.Making;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Webhook;

namespace Antbot.Fuzz.Targets;

/// <summary>What is sent to <c>POST /signals</c>.</summary>
public sealed class SignalBodyTarget : IFuzzTarget
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 10, TimeSpan.Zero);

    private static readonly string[] Good =
    [
        """{"symbol":"BTCUSDT","side":"buy","notional":100,"price":65000,"stop":64000,"takeProfit":67000,"confidence":0.8,"key":"k-1","source":"tradingview","time":"2026-01-01T00:00:09Z"}""",
        """{"ticker":"ETHUSDT","action":"sell","price":"3000.5","stop_loss":"3100","take_profit":"2900","limit":"3001"}""",
        """{"Symbol":"XRPUSDT","Side":"BUY"}""",
    ];

    public string Name => "signal-body";

    public string What => "the body of POST /signals";

    public int Cases => 100_000;

    public FuzzOutcome Try(Random random)
    {
        var body = Mutator.Spoil(Good[random.Next(Good.Length)], random);
        var header = random.Next(3) == 0 ? new string((char)random.Next(1, 0x2fff), random.Next(300)) : null;
        var read = WebhookSignal.Read(body, header, _ => random.Next(3) == 0 ? null : new Price(65_000), SignalTerms.Default, Now);
        if (read.Faults.Count > 0)
            return read.Draft is null && read.Faults.All(f => f.Length is > 0 and < 2_000) ? FuzzOutcome.Refused : throw new FuzzException($"It was refused and taken, or without a reason: {string.Join(" | ", read.Faults)}");
        if (read.LacksPrice is not null)
            return FuzzOutcome.Refused;
        var draft = read.Draft ?? throw new FuzzException("It was neither refused nor taken.");
        if (draft.Notional.Value <= 0 || draft.Confidence is < 0 or > 1 || draft.ValidUntil <= draft.RaisedAt || draft.RaisedAt > Now.AddSeconds(6))
            throw new FuzzException(string.Create(CultureInfo.InvariantCulture, $"It was taken for {draft}."));
        return FuzzOutcome.Taken;
    }
}
