using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Symbol = Antbot.Contracts.Symbol;

namespace Antbot.Cli.Commands;

internal static class SignalCommand
{
    private const string AddressVariable = "ANTBOT_SIGNALS";
    private const string KeyFileVariable = "ANTBOT_SIGNAL__APIKEY_FILE";
    private const int AnswerBytesMax = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static Command Build()
    {
        var symbol = new Argument<string>("symbol") { Description = "Such as BTCUSDT." };
        var side = new Argument<Side>("side") { Description = "buy or sell.", CustomParser = result => Common.Words<Side>(result) is [var said] ? said : default };
        var price = Number("--price", "The market's price as you see it; the market's own is taken where it is known.");
        var limit = Number("--limit", "Enter at this price or a better one; without it, at the market's.");
        var stop = Number("--stop", "Where the loss is cut; without it, as configured.");
        var target = Number("--take-profit", "Where the gain is taken; without it, as configured.");
        var notional = Number("--notional", "How much money to put in, at most; without it, as configured.");
        var confidence = Number("--confidence", "0 to 1; without it, as configured.");
        var source = new Option<string>("--source") { Description = "Who wishes, for those who read it later." };
        var key = new Option<string>("--idempotency-key") { Description = "The same key is the same trade, however often it is sent. Without one a new one is made, and told where the outcome is unknown." };
        var address = new Option<string>("--signals") { Description = $"Where signals are taken. Default: the variable {AddressVariable}, else what .local/console.json or .local/up/console.json names." };
        var keyFile = new Option<string>("--api-key-file") { Description = $"The file with the API key. Default: the variable {KeyFileVariable}, else what .local/console.json or .local/up/console.json names." };
        key.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } text && (text.Length is 0 or > 200 || !text.All(c => c is > ' ' and < '\x7f')))
                result.AddError("--idempotency-key has 1 to 200 printable ASCII characters, and no spaces.");
        });
        symbol.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } text && Symbol.Fault(text.ToUpperInvariant()) is { } fault)
                result.AddError(fault);
        });
        var command = new Command("signal", "Injects a signal, as a charting tool would; the platform decides what becomes of it.") { symbol, side, price, limit, stop, target, notional, confidence, source, key, address, keyFile };
        command.SetAction((parsed, cancellationToken) => Common.RunAsync(parsed, async () =>
        {
            var body = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["symbol"] = parsed.GetValue(symbol)!.ToUpperInvariant(),
                ["side"] = parsed.GetValue(side) == Side.Buy ? "buy" : "sell",
                ["price"] = parsed.GetValue(price),
                ["limit"] = parsed.GetValue(limit),
                ["stop"] = parsed.GetValue(stop),
                ["takeProfit"] = parsed.GetValue(target),
                ["notional"] = parsed.GetValue(notional),
                ["confidence"] = parsed.GetValue(confidence),
                ["source"] = parsed.GetValue(source),
            };
            var local = LocalRun.Find();
            var to = parsed.GetValue(address) ?? Environment.GetEnvironmentVariable(AddressVariable) ?? local.Signals ?? throw new CommandException(
                "Usage", "Where are signals taken? Say --signals with an address such as http://127.0.0.1:5101, or start the platform here with 'make run'.", ExitCode.Usage);
            var apiKey = parsed.GetValue(keyFile) ?? Environment.GetEnvironmentVariable(KeyFileVariable) ?? local.SignalKeyFile ?? throw new CommandException(
                "Usage", "Which API key? Say --api-key-file with the file that holds it.", ExitCode.Usage);
            return await SendAsync(parsed, to, apiKey, body, parsed.GetValue(key) ?? Guid.NewGuid().ToString("N"), cancellationToken);
        }));
        return command;
    }

    private static async Task<int> SendAsync(ParseResult parsed, string address, string keyFile, Dictionary<string, object?> body, string idempotencyKey, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new CommandException("Usage", $"'{address}' is no address such as http://127.0.0.1:5101.", ExitCode.Usage);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = uri, Timeout = Patience, MaxResponseContentBufferSize = AnswerBytesMax };
        using var request = new HttpRequestMessage(HttpMethod.Post, "signals")
        {
            Content = new StringContent(JsonSerializer.Serialize(body.Where(b => b.Value is not null).ToDictionary(b => b.Key, b => b.Value, StringComparer.Ordinal)), Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("X-Api-Key", Common.ReadSecret(keyFile));
        request.Headers.Add("Idempotency-Key", idempotencyKey);
        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            if (answer.StatusCode != HttpStatusCode.Accepted)
                throw Refused(answer.StatusCode, text, idempotencyKey);
            var trade = Parse(text) is { } said && said.TryGetProperty("tradeId", out var id) && TradeId.TryParse(id.ToString(), out var named) ? named.Value
                : throw new CommandException("Undecodable", $"It was taken under the key {idempotencyKey}, and the answer names no trade: {Tables.Plain(text)}");
            Common.Answer(parsed, new { Trade = trade, IdempotencyKey = idempotencyKey }, $"Taken as trade {trade}. Follow it with: antbot trade {trade[..12]}");
            return ExitCode.Done;
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError)
        {
            throw new CommandException("Unavailable", $"{uri}signals cannot be reached: {e.Message}. The signal was not sent; check that the platform runs.", inner: e);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException)
        {
            throw Unknown($"The connection to {uri}signals ended before the answer ({e.Message})", idempotencyKey, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unknown($"{uri}signals does not answer within {Patience.TotalSeconds:0} s", idempotencyKey, e);
        }
        catch (OperationCanceledException e)
        {
            throw Unknown("Stopped before the answer came", idempotencyKey, e, ExitCode.Stopped);
        }
    }

    private static CommandException Unknown(string what, string idempotencyKey, Exception? why = null, int exitCode = ExitCode.Failed) =>
        new("OutcomeUnknown", $"{what}; the signal may have been taken. Send the same again with --idempotency-key {idempotencyKey}: it is taken once.", exitCode, why);

    private static CommandException Refused(HttpStatusCode status, string text, string idempotencyKey)
    {
        var body = Parse(text);
        var message = body is { } b && b.TryGetProperty("error", out var error) ? error.ToString() : $"It was answered with {(int)status}.";
        if (body is { } f && f.TryGetProperty("faults", out var faults) && faults.ValueKind == JsonValueKind.Array)
            message = $"{message} {string.Join("; ", faults.EnumerateArray().Select(x => x.ToString()))}";
        var code = status switch
        {
            HttpStatusCode.BadRequest => ExitCode.Usage,
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCode.NotAllowed,
            _ => ExitCode.Failed,
        };
        // Only what was refused for what it is, is known not to be taken.
        return status is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.RequestTimeout
            ? new CommandException(status.ToString(), $"The signal was not taken. {Tables.Plain(message)}", code)
            : Unknown(Tables.Plain(message).TrimEnd('.'), idempotencyKey);
    }

    private static JsonElement? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Option<decimal?> Number(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            if (decimal.TryParse(result.Tokens[^1].Value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number))
                return number;
            result.AddError($"{name} is a decimal number, such as 1.5.");
            return null;
        },
    };
}
