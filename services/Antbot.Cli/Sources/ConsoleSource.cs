using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.Incidents.Changes;
using Antbot.Incidents.Reports;
using Antbot.ReadModels;

namespace Antbot.Cli.Sources;

/// <summary>Asks a Console over its API.</summary>
internal sealed class ConsoleSource : ISource
{
    private const int AnswerBytesMax = 32 * 1024 * 1024;
    private const int LineMax = 4 * 1024 * 1024;

    private readonly HttpClient _client;
    private readonly Uri _address;

    public ConsoleSource(Uri address, string token, TimeSpan timeout)
    {
        _address = address;
        _client = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), AllowAutoRedirect = false })
        {
            BaseAddress = address,
            Timeout = timeout,
            MaxResponseContentBufferSize = AnswerBytesMax,
        };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public string Where => $"the Console at {_address}";

    public Task<StatusReport> StatusAsync(CancellationToken cancellationToken) => GetAsync<StatusReport>("api/status", cancellationToken);

    public Task<Page<TradeView>> TradesAsync(ViewQuery query, CancellationToken cancellationToken) => GetAsync<Page<TradeView>>(PathOf("api/trades", query), cancellationToken);

    public Task<Page<DeadLetterView>> DeadLettersAsync(ViewQuery query, CancellationToken cancellationToken) => GetAsync<Page<DeadLetterView>>(PathOf("api/deadletters", query), cancellationToken);

    public Task<Page<DeadLetterGroupView>> DeadLetterGroupsAsync(ViewQuery query, CancellationToken cancellationToken) => GetAsync<Page<DeadLetterGroupView>>(PathOf("api/deadletters/groups", query), cancellationToken);

    public Task<DeadLetterStory> DeadLetterAsync(string id, CancellationToken cancellationToken) => GetAsync<DeadLetterStory>($"api/deadletters/{Uri.EscapeDataString(id)}", cancellationToken);

    public async Task<byte[]> DeadLetterBodyAsync(string id, bool edited, CancellationToken cancellationToken)
    {
        // Of any size, and so past the limit of what is read into an answer.
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"api/deadletters/{Uri.EscapeDataString(id)}/body{(edited ? "?edited=true" : "")}"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        using var body = new MemoryStream();
        await (await answer.Content.ReadAsStreamAsync(cancellationToken)).CopyToAsync(body, cancellationToken);
        return body.ToArray();
    }

    public Task<DeadLetterDone> EditDeadLetterAsync(string id, JsonElement patch, string reason, CancellationToken cancellationToken) =>
        PostAsync<DeadLetterDone>($"api/deadletters/{Uri.EscapeDataString(id)}/edit", new { Reason = reason, Patch = patch }, cancellationToken);

    public Task<DeadLetterDone> DiscardDeadLetterAsync(string id, string reason, CancellationToken cancellationToken) =>
        PostAsync<DeadLetterDone>($"api/deadletters/{Uri.EscapeDataString(id)}/discard", new { Reason = reason }, cancellationToken);

    public Task<DeadLetterDone> GiveUpDeadLetterAsync(string id, string reason, CancellationToken cancellationToken) =>
        PostAsync<DeadLetterDone>($"api/deadletters/{Uri.EscapeDataString(id)}/give-up", new { Reason = reason }, cancellationToken);

    public Task<DeadLetterDone> ReplayDeadLetterAsync(string id, string reason, CancellationToken cancellationToken) =>
        PostAsync<DeadLetterDone>($"api/deadletters/{Uri.EscapeDataString(id)}/replay", new { Reason = reason }, cancellationToken);

    public Task<Page<ReplaysView>> ReplaysAsync(ViewQuery query, CancellationToken cancellationToken) => GetAsync<Page<ReplaysView>>(PathOf("api/replays", query), cancellationToken);

    public Task<ReplaysStory> ReplaysAsync(string id, CancellationToken cancellationToken) => GetAsync<ReplaysStory>($"api/replays/{Uri.EscapeDataString(id)}", cancellationToken);

    public IAsyncEnumerable<ForesightLine> ForeseeLetterAsync(string id, CancellationToken cancellationToken) => LinesAsync<ForesightLine>($"api/deadletters/{Uri.EscapeDataString(id)}/foresight", cancellationToken);

    public IAsyncEnumerable<ForesightLine> ForeseeLettersAsync(ReplaysWish wish, CancellationToken cancellationToken)
    {
        var asked = new (string Name, string? Value)[]
        {
            ("endpoint", wish.Endpoint), ("type", wish.Type), ("fingerprint", wish.Fingerprint), ("trade", wish.Trade), ("all", wish.All ? "true" : null), ("limit", wish.Limit?.ToString(CultureInfo.InvariantCulture)),
        };
        return LinesAsync<ForesightLine>($"api/deadletters/foresight?{string.Join('&', asked.Where(a => a.Value is not null).Select(a => $"{a.Name}={Uri.EscapeDataString(a.Value!)}"))}", cancellationToken);
    }

    public IAsyncEnumerable<ForesightLine> ForeseeReplaysAsync(string id, CancellationToken cancellationToken) => LinesAsync<ForesightLine>($"api/replays/{Uri.EscapeDataString(id)}/foresight", cancellationToken);

    public Task<ReplaysStory> RequestReplaysAsync(ReplaysWish wish, CancellationToken cancellationToken) => PostAsync<ReplaysStory>("api/replays", wish, cancellationToken);

    public Task<ReplaysStory> SayOfReplaysAsync(string id, string command, string reason, CancellationToken cancellationToken) =>
        PostAsync<ReplaysStory>($"api/replays/{Uri.EscapeDataString(id)}/{command}", new { Reason = reason }, cancellationToken);

    public Task<ChangePage> ChangesAsync(ChangeSelection selection, CancellationToken cancellationToken) => GetAsync<ChangePage>(
        $"api/changes?since={Uri.EscapeDataString(selection.Since.ToString("O"))}&until={Uri.EscapeDataString(selection.Until.ToString("O"))}&limit={selection.Limit}{(selection.After is { } after ? $"&after={Uri.EscapeDataString(after)}" : "")}",
        cancellationToken);

    public Task<Page<IncidentView>> IncidentsAsync(ViewQuery query, CancellationToken cancellationToken) => GetAsync<Page<IncidentView>>(PathOf("api/incidents", query), cancellationToken);

    public Task<IncidentStory> IncidentAsync(string id, CancellationToken cancellationToken) => GetAsync<IncidentStory>($"api/incidents/{Uri.EscapeDataString(id)}", cancellationToken);

    public Task<IncidentReport> IncidentReportAsync(string id, CancellationToken cancellationToken) => GetAsync<IncidentReport>($"api/incidents/{Uri.EscapeDataString(id)}/report", cancellationToken);

    public Task<IncidentStory> OpenIncidentAsync(IncidentWish wish, CancellationToken cancellationToken) => PostAsync<IncidentStory>("api/incidents", wish, cancellationToken);

    public Task<IncidentStory> SayOfIncidentAsync(string id, string command, string reason, CancellationToken cancellationToken) =>
        PostAsync<IncidentStory>($"api/incidents/{Uri.EscapeDataString(id)}/{command}", new { Reason = reason }, cancellationToken);

    private static string PathOf(string path, ViewQuery query)
    {
        var parameters = new List<string> { $"limit={query.Limit}" };
        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                parameters.Add($"{name}={Uri.EscapeDataString(value)}");
        }
        Add("state", string.Join(',', query.States));
        Add("symbol", query.Symbol);
        Add("trade", query.Trade);
        Add("after", query.After);
        foreach (var (column, value) in query.Search)
            Add(column == ViewTables.MessageType ? "type" : column, value);
        return $"{path}?{string.Join('&', parameters)}";
    }

    public Task<TradeStory> StoryAsync(string id, CancellationToken cancellationToken) => GetAsync<TradeStory>($"api/trades/{Uri.EscapeDataString(id)}", cancellationToken);

    public Task<TradeSteps> StepsAsync(string id, CancellationToken cancellationToken) => GetAsync<TradeSteps>($"api/trades/{Uri.EscapeDataString(id)}/steps", cancellationToken);

    public Task<Trace> TraceAsync(string id, TraceKind? kind, CancellationToken cancellationToken) =>
        GetAsync<Trace>($"api/trace?id={Uri.EscapeDataString(id)}{(kind is { } k ? $"&kind={k}" : "")}", cancellationToken);

    public Task<TracePage> TracesAsync(TraceSelection selection, CancellationToken cancellationToken)
    {
        var asked = new List<string> { $"since={Uri.EscapeDataString(selection.Since.ToString("O"))}", $"until={Uri.EscapeDataString(selection.Until.ToString("O"))}", $"limit={selection.Limit}" };
        if (selection.Symbol is { } symbol)
            asked.Add($"symbol={Uri.EscapeDataString(symbol)}");
        if (selection.Actor is { } actor)
            asked.Add($"actor={Uri.EscapeDataString(actor)}");
        if (selection.After is { } after)
            asked.Add($"after={Uri.EscapeDataString(after)}");
        return GetAsync<TracePage>($"api/traces?{string.Join('&', asked)}", cancellationToken);
    }

    public async IAsyncEnumerable<Watched> WatchAsync(long? after, string? trade, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = string.Join('&', new[] { after is { } a ? $"after={a}" : null, trade is null ? null : $"trade={Uri.EscapeDataString(trade)}" }.Where(p => p is not null));
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"api/events?{query}"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        var isGap = false;
        while (await ReadLineAsync(reader, cancellationToken) is { } line)
        {
            if (line.Length > LineMax)
                throw new CommandException("TooLarge", "The Console sent a line that is too long to be an event.");
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                isGap = line[7..] == ArchiveGap.Name;
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                yield return isGap ? new Watched(null, Parse<ArchiveGap>(line[6..])) : new Watched(Parse<TimelineEntry>(line[6..]), null);
        }
        throw new CommandException("Unavailable", $"{Where} has ended the connection. Start 'antbot watch' again.");
    }

    public Task<ReconciliationReport> ReconciliationAsync(AccountId account, bool whole, CancellationToken cancellationToken) => GetAsync<ReconciliationReport>($"api/reconciliation/{account.Value}{(whole ? "?all=true" : "")}", cancellationToken);

    public Task<SettlementDone> SettleAsync(string order, bool confirms, string reason, CancellationToken cancellationToken) =>
        PostAsync<SettlementDone>($"api/orders/{Uri.EscapeDataString(order)}/settlement{(confirms ? "/confirm" : "")}", new { Reason = reason }, cancellationToken);

    public Task<TokenList> TokensAsync(CancellationToken cancellationToken) => GetAsync<TokenList>("api/tokens", cancellationToken);

    public Task<TokenDone> MakeTokenAsync(string name, string role, int? days, string reason, CancellationToken cancellationToken) =>
        PostAsync<TokenDone>("api/tokens", new { Name = name, Role = role, Days = days, Reason = reason }, cancellationToken);

    public Task<TokenRevoked> RevokeTokenAsync(string name, string reason, CancellationToken cancellationToken) =>
        PostAsync<TokenRevoked>($"api/tokens/{Uri.EscapeDataString(name)}/revoke", new { Reason = reason }, cancellationToken);

    public async Task<ControlDone> ControlAsync(ControlOrder order, CancellationToken cancellationToken)
    {
        var said = await PostAsync<ControlSaid>($"api/control/{order.Command}", new { order.Reason, order.By }, cancellationToken);
        return new ControlDone(said.Control, said.Version, order.By, Where, said.NotAudited is { } why ? $"The audit's own record is missing: {why}" : null);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>As they come; one that is cut off in the middle is none.</summary>
    private async IAsyncEnumerable<T> LinesAsync<T>(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        while (await ReadLineAsync(reader, cancellationToken) is { } line)
        {
            if (line.Length > LineMax)
                throw new CommandException("TooLarge", "The Console sent a line that is too long.");
            yield return Parse<T>(line);
        }
    }

    private async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseContentRead, cancellationToken);
        return Parse<T>(await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    private async Task<T> PostAsync<T>(string path, object body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") };
        using var answer = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return Parse<T>(await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await _client.SendAsync(request, completion, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            throw new ConsoleUnreachableException($"{Where} cannot be reached: {e.Message}. Check that it runs, or say --store to ask the store itself.", e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ConsoleUnreachableException($"{Where} does not answer within {_client.Timeout.TotalSeconds:0} s. Say --store to ask the store itself.", e);
        }
        if (answer.IsSuccessStatusCode)
            return answer;
        using (answer)
            throw await RefusedAsync(answer, cancellationToken);
    }

    private async Task<CommandException> RefusedAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        var (error, message) = ("Refused", $"{Where} answered {(int)answer.StatusCode}.");
        try
        {
            if (JsonSerializer.Deserialize<Said>(text, ReadModelJson.Options) is { } said)
                (error, message) = (said.Error, said.Message);
        }
        catch (JsonException)
        {
            // It is no Console of ours; the status has to do.
        }
        var code = answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCode.NotAllowed,
            HttpStatusCode.NotFound => ExitCode.NotFound,
            HttpStatusCode.BadRequest => ExitCode.Usage,
            _ => ExitCode.Failed,
        };
        return new CommandException(error, message, code);
    }

    private static async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private T Parse<T>(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(text, ReadModelJson.Options) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new CommandException("Undecodable", $"{Where} answered something that this build does not understand ({e.Message}). Use the 'antbot' of the same build.", inner: e);
        }
    }

    private sealed record Said(string Error, string Message);

    private sealed record ControlSaid(ControlReport Control, long Version, string? NotAudited);
}

internal sealed class ConsoleUnreachableException(string message, Exception inner) : Exception(message, inner);
