using System.Globalization;
using System.Net.WebSockets;
using System.Text;

namespace Antbot.Integration.Tests.Venues.Conformance;

/// <summary>Binance's combined streams as its public documentation has them: the best bid and ask five times a second, and candles of a second, open and closed.</summary>
internal sealed class DocumentedStreams(Func<long> now)
{
    private long _update = 400_900_217;

    public async Task SpeakAsync(string streams, WebSocket socket, CancellationToken cancellationToken)
    {
        var second = now() / 1_000;
        while (socket.State == WebSocketState.Open)
        {
            var time = now();
            foreach (var stream in streams.Split('/'))
            {
                if (stream.EndsWith("@bookTicker", StringComparison.Ordinal))
                    await SayAsync(stream, BookTicker());
                if (!stream.EndsWith("@kline_1s", StringComparison.Ordinal))
                    continue;
                for (var s = second; s < time / 1_000; s++)
                    await SayAsync(stream, Kline(time, s * 1_000, isClosed: true));
                await SayAsync(stream, Kline(time, time / 1_000 * 1_000, isClosed: false));
            }
            second = time / 1_000;
            await Task.Delay(200, cancellationToken);
        }

        Task SayAsync(string stream, string data) => socket.SendAsync(Encoding.UTF8.GetBytes($$"""{"stream":"{{stream}}","data":{{data}}}"""), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
    }

    private string BookTicker() => string.Create(CultureInfo.InvariantCulture, $$"""{"u":{{_update++}},"s":"BTCUSDT","b":"64999.99000000","B":"31.21000000","a":"65000.01000000","A":"40.66000000"}""");

    private static string Kline(long time, long open, bool isClosed) => string.Create(CultureInfo.InvariantCulture, $$$"""
        {"e":"kline","E":{{{time}}},"s":"BTCUSDT","k":{"t":{{{open}}},"T":{{{open + 999}}},"s":"BTCUSDT","i":"1s","f":100,"L":200,"o":"65000.00000000","c":"65005.00000000","h":"65010.00000000","l":"64990.00000000","v":"1000.00000000","n":100,"x":{{{(isClosed ? "true" : "false")}}},"q":"1.00000000","V":"500.00000000","Q":"0.50000000","B":"123456"}}
        """);
}
