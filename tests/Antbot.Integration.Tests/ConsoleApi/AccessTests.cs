using System.Net;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>Who is let in at the Console and how far, and what the API says of itself.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const string Trade = "0123456789abcdef0123456789abcdef";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-access-").FullName;
    private RunningConsole _console = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _console = await RunningConsole.StartAsync(_folder);

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Over every route that there is, so that none can be added without a role that is held to.</summary>
    [Fact]
    public async Task Each_route_lets_in_who_has_its_role_and_nobody_below()
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal) { ["Viewer"] = await MakeAsync("vera", "Viewer"), ["Operator"] = await MakeAsync("oscar", "Operator"), ["SuperAdmin"] = await MakeAsync("sue", "SuperAdmin") };
        var order = tokens.Keys.ToList();
        var routes = await RoutesAsync();
        Assert.True(routes.Count >= 17, $"only {routes.Count} routes are described");
        foreach (var (method, path, operation) in routes)
        {
            var needed = order.IndexOf(operation.GetProperty("x-antbot-role").GetString()!);
            Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("nobody-knows-this-token", method, path)).Status);
            for (var role = 0; role < order.Count; role++)
            {
                var (status, body) = await AskAsync(tokens[order[role]], method, path);
                Assert.True((status == HttpStatusCode.Forbidden) == (role < needed), $"{method} {path} as {order[role]}: {status} {body}");
                Assert.NotEqual(HttpStatusCode.Unauthorized, status);
            }
        }
    }

    [Fact]
    public async Task What_is_needed_by_the_description_is_needed_and_what_is_no_route_is_described_nowhere()
    {
        var described = await RoutesAsync();
        var document = await _console.GetAsync("/api/openapi.json");
        foreach (var (method, path, operation) in described.Where(r => r.Method == "POST"))
        {
            var reference = operation.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("$ref").GetString()!;
            var schema = document.GetProperty("components").GetProperty("schemas").GetProperty(reference.Split('/')[^1]);
            foreach (var member in schema.GetProperty("required").EnumerateArray().Select(m => m.GetString()!))
            {
                var body = schema.GetProperty("properties").EnumerateObject().Where(p => p.Name != member).ToDictionary(p => p.Name, p => Sample(p.Name));
                var (status, said) = await AskAsync(RunningConsole.Token, method, path, body);
                // Of a trade or an order that is not there nothing else is said.
                Assert.True(status == HttpStatusCode.BadRequest || (status == HttpStatusCode.NotFound && path.Contains('{')) , $"{method} {path} without {member}: {status} {said}");
            }
        }
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(RunningConsole.Token, "GET", "/api/nothing")).Status);
        // Every reference within it leads somewhere.
        Assert.All(Refs(document), r => Assert.True(r.Split('/').Skip(1).Aggregate((JsonElement?)document, (at, step) => at is { } here && here.ValueKind == JsonValueKind.Object && here.TryGetProperty(step, out var next) ? next : null) is not null, r));
    }

    [Fact]
    public async Task A_token_is_told_once_and_the_record_has_not_it_but_its_hash()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/tokens") { Content = Json(new { Name = "vera", Role = "Viewer", Reason = "to look", Days = 3 }), Headers = { { "Idempotency-Key", "the-same-request" } } };
        using var answer = await _console.Client.SendAsync(request, Cancel);
        var token = (await ReadAsync(answer)).GetProperty("Token").GetString()!;
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(token, "GET", "/api/status")).Status);

        using var again = new HttpRequestMessage(HttpMethod.Post, "/api/tokens") { Content = Json(new { Name = "vera", Role = "Viewer", Reason = "to look", Days = 3 }), Headers = { { "Idempotency-Key", "the-same-request" } } };
        using var told = await _console.Client.SendAsync(again, Cancel);
        Assert.Equal((HttpStatusCode.Conflict, "Told"), (told.StatusCode, (await ReadAsync(told)).GetProperty("Error").GetString()));

        var stored = await EventsAsync();
        Assert.Equal(["access_token_made"], stored.Select(e => e.Type));
        Assert.Equal("operator:default", stored[0].Actor);
        Assert.DoesNotContain(token, Encoding.UTF8.GetString(stored[0].Data.Span), StringComparison.Ordinal);
        var list = (await AskAsync(RunningConsole.Token, "GET", "/api/tokens")).Body;
        Assert.DoesNotContain(token, list, StringComparison.Ordinal);
        Assert.Contains("\"vera\"", list, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_revoked_is_let_in_no_more_here_at_once_and_elsewhere_within_moments()
    {
        var token = await MakeAsync("oscar", "Operator");
        await using var other = await RunningConsole.StartAsync(_folder, "--instance=other");
        using var there = other.ClientOf(token);
        Assert.Equal(HttpStatusCode.OK, (await there.GetAsync("/api/status", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(RunningConsole.Token, "POST", "/api/tokens/oscar/revoke", new { Reason = "left" })).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(token, "GET", "/api/status")).Status);
        await Eventually.HoldsAsync(async () => (await there.GetAsync("/api/status", Cancel)).StatusCode == HttpStatusCode.Unauthorized, "it is let in no more at the other Console");
        var (status, body) = await AskAsync(RunningConsole.Token, "POST", "/api/tokens/oscar/revoke", new { Reason = "left" });
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains("no such token", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"Name":"a b","Role":"Viewer","Reason":"x"}""", 400)]
    [InlineData("""{"Name":"vera","Role":"King","Reason":"x"}""", 400)]
    [InlineData("""{"Name":"vera","Role":"3","Reason":"x"}""", 400)]
    [InlineData("""{"Name":"vera","Role":"Viewer","Reason":"x","Days":0}""", 400)]
    [InlineData("""{"Name":"vera","Role":"Viewer","Reason":"x","Days":367}""", 400)]
    [InlineData("""{"Name":"vera","Role":"Viewer","Reason":"x","Days":1.5}""", 400)]
    [InlineData("""{"Name":"default","Role":"Viewer","Reason":"x"}""", 409)]
    public async Task What_cannot_be_made_is_refused(string body, int status)
    {
        using var answer = await _console.Client.PostAsync("/api/tokens", new StringContent(body, Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.NotEmpty((await ReadAsync(answer)).GetProperty("Message").GetString()!);
    }

    [Fact]
    public async Task The_command_makes_lists_and_revokes()
    {
        var file = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(file, RunningConsole.Token, Cancel);
        string[] at = ["--console", _console.Address, "--token-file", file];
        var made = await AntbotProcess.RunAsync(_folder, ["token", "make", "vera", "--role", "viewer", "--days", "2", "--reason", "to look", .. at]);
        Assert.True(made.ExitCode == 0, made.Error);
        var veras = Path.Combine(_folder, "vera");
        await File.WriteAllTextAsync(veras, made.Output.Trim(), Cancel);
        var seen = await AntbotProcess.RunAsync(_folder, "status", "--console", _console.Address, "--token-file", veras);
        Assert.True(seen.ExitCode == 0, seen.Error);
        var halt = await AntbotProcess.RunAsync(_folder, "halt", "--reason", "curious", "--console", _console.Address, "--token-file", veras);
        Assert.Equal(6, halt.ExitCode);
        Assert.Contains("has the role Viewer, and this takes Operator", halt.Error, StringComparison.Ordinal);
        var list = await AntbotProcess.RunAsync(_folder, ["token", "list", "--json", .. at]);
        Assert.Equal(["default", "vera"], JsonDocument.Parse(list.Output).RootElement.GetProperty("Tokens").EnumerateArray().Select(t => t.GetProperty("Name").GetString()));
        var revoked = await AntbotProcess.RunAsync(_folder, ["token", "revoke", "vera", "--reason", "seen enough", .. at]);
        Assert.True(revoked.ExitCode == 0, revoked.Error);
        Assert.Equal(6, (await AntbotProcess.RunAsync(_folder, "status", "--console", _console.Address, "--token-file", veras)).ExitCode);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, ["token", "make", "vera", "--role", "king", "--reason", "x", .. at])).ExitCode);
    }

    private static object Sample(string member) => member switch { "On" => true, "Days" => 1, "Mode" => "Dry", "Role" => "Viewer", _ => "sample" };

    private static IEnumerable<string> Refs(JsonElement at) => at.ValueKind switch
    {
        JsonValueKind.Object => at.EnumerateObject().SelectMany(p => p.Name == "$ref" ? [p.Value.GetString()!] : Refs(p.Value)),
        JsonValueKind.Array => at.EnumerateArray().SelectMany(Refs),
        _ => [],
    };

    private static StringContent Json(object body) => new(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer) => JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement;

    private async Task<List<(string Method, string Path, JsonElement Operation)>> RoutesAsync() =>
        [.. (await _console.GetAsync("/api/openapi.json")).GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(m => (m.Name.ToUpperInvariant(), p.Name, m.Value)))];

    private async Task<string> MakeAsync(string name, string role)
    {
        var (status, body) = await _console.PostAsync("/api/tokens", new { Name = name, Role = role, Reason = "a test" });
        Assert.Equal(201, status);
        return body.GetProperty("Token").GetString()!;
    }

    private async Task<(HttpStatusCode Status, string Body)> AskAsync(string token, string method, string path, object? body = null)
    {
        using var client = _console.ClientOf(token);
        var url = path.Replace("{id}", path.Contains("orders", StringComparison.Ordinal) ? $"e0-{Trade}" : Trade, StringComparison.Ordinal).Replace("{account}", "main", StringComparison.Ordinal).Replace("{name}", "nobody", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        if (method == "POST")
            request.Content = Json(body ?? new { });
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        // What goes on for ever has no end to read.
        return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType == "text/event-stream" ? "" : await answer.Content.ReadAsStringAsync(Cancel));
    }

    private async Task<List<StoredEvent>> EventsAsync() => await _console.Store.ReadStreamAsync(Streams.Access, cancellationToken: Cancel).ToListAsync(Cancel);
}
