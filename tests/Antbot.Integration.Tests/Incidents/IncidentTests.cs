using System.Text.Json;
using Antbot.ConsoleService.Incidents;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Control;
using Antbot.Runtime.Incidents;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary>What went wrong is an incident: by a person's word, by a crash, by an alert.</summary>
public sealed class IncidentTests : IAsyncLifetime
{
    private const string Nobody = "00000000000000000000000000000001";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-incidents-").FullName;
    private RunningConsole _console = null!;
    private string _token = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(_token, RunningConsole.Token, Cancel);
        _console = await RunningConsole.StartAsync(_folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_person_opens_notes_takes_on_and_closes_it_and_all_of_it_is_told_from_the_store_alone()
    {
        var opened = await RunAsync(0, "incident", "open", "--reason", "orders <b>hang</b>", "--since", "2h");
        var id = opened.GetProperty("Incident").GetProperty("Id").GetString()!;
        var since = opened.GetProperty("Incident").GetProperty("Since").GetDateTimeOffset();
        Assert.InRange(DateTimeOffset.UtcNow - since, TimeSpan.FromMinutes(119), TimeSpan.FromMinutes(125));
        await Eventually.HoldsAsync(async () => (await _console.GetAsync("/api/incidents?state=open")).GetProperty("Items").GetArrayLength() == 1, "it is in the list");
        await RunAsync(0, "incident", "note", id[..8], "--reason", "the disk is full");
        await RunAsync(0, "incident", "acknowledge", id[..8], "--reason", "mine");
        var closed = await RunAsync(0, "incident", "close", id, "--reason", "a larger disk");
        Assert.Equal(("Closed", "a larger disk", 1), (closed.GetProperty("Incident").GetProperty("State").GetString(), closed.GetProperty("Incident").GetProperty("Ended").GetString(), closed.GetProperty("Incident").GetProperty("Notes").GetInt32()));
        Assert.Equal(["incident_opened", "incident_noted", "incident_acknowledged", "incident_closed"], closed.GetProperty("History").EnumerateArray().Select(s => s.GetProperty("Type").GetString()));
        var refused = await AntbotProcess.RunAsync(_folder, "incident", "close", id, "--reason", "again", "--console", _console.Address, "--token-file", _token);
        Assert.Equal((1, true), (refused.ExitCode, refused.Error.Contains("not-over: it is Closed", StringComparison.Ordinal)));
        Assert.Contains("incident_refused", (await _console.GetAsync($"/api/incidents/{id}")).GetRawText(), StringComparison.Ordinal);

        await _console.DisposeAsync();
        string[] store = ["--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}"];
        var said = await AntbotProcess.RunAsync(_folder, ["incident", "show", id[..6], .. store]);
        Assert.True(said.ExitCode == 0, said.Error);
        foreach (var part in new[] { $"Incident {id}, Closed", "orders <b>hang</b>", "the disk is full", "mine", "a larger disk", "incident refused" })
            Assert.Contains(part, said.Output, StringComparison.Ordinal);
        Assert.Contains("hang", (await AntbotProcess.RunAsync(_folder, ["incident", "list", "--state", "closed", .. store])).Output, StringComparison.Ordinal);
        Assert.Equal("No incidents.\n", (await AntbotProcess.RunAsync(_folder, ["incident", "list", "--state", "open", .. store])).Output);
        var console = await AntbotProcess.RunAsync(_folder, ["incident", "note", id, "--reason", "x", .. store]);
        Assert.Equal((1, true), (console.ExitCode, console.Error.Contains("--console", StringComparison.Ordinal)));
        _console = await RunningConsole.StartAsync(_folder);
    }

    [Fact]
    public async Task A_request_that_is_repeated_opens_one_incident_and_another_under_its_key_is_refused()
    {
        var body = new { Reason = "orders hang" };
        var (first, again) = (await _console.PostAsync("/api/incidents", body, "the-same-request"), await _console.PostAsync("/api/incidents", body, "the-same-request"));
        Assert.Equal((201, 201), (first.Status, again.Status));
        Assert.Equal(first.Body.GetProperty("Incident").GetRawText(), again.Body.GetProperty("Incident").GetRawText());
        Assert.Equal(409, (await _console.PostAsync("/api/incidents", new { Reason = "something else" }, "the-same-request")).Status);
        var id = first.Body.GetProperty("Incident").GetProperty("Id").GetString();
        Assert.Equal((200, 200), ((await _console.PostAsync($"/api/incidents/{id}/close", body, "the-same-close")).Status, (await _console.PostAsync($"/api/incidents/{id}/close", body, "the-same-close")).Status));
        Assert.Equal(409, (await _console.PostAsync($"/api/incidents/{id}/close", body)).Status);
    }

    [Theory]
    [InlineData("/api/incidents", "{}", 400)]
    [InlineData("/api/incidents", """{"Reason":""}""", 400)]
    [InlineData("/api/incidents", """{"Reason":"x","Since":"soon"}""", 400)]
    [InlineData("/api/incidents", """{"Reason":"x","Since":5}""", 400)]
    [InlineData("/api/incidents", """{"Reason":"x","Since":"1969-01-01T00:00:00Z"}""", 400)]
    [InlineData("/api/incidents", """{"Reason":"x","Trades":"all"}""", 400)]
    [InlineData("/api/incidents", """{"Reason":"x","Trades":[1]}""", 400)]
    [InlineData("/api/incidents", """{"Reason":"x","Trades":["../x"]}""", 400)]
    [InlineData("/api/incidents", """{"Reason":"x","Trades":["00000000000000000000000000000001"]}""", 404)]
    [InlineData("/api/incidents", """{"Reason":"x","Cause":"y"}""", 400)]
    [InlineData("/api/incidents", """{"Reason":"x","Since":"2999-01-01T00:00:00Z"}""", 409)]
    [InlineData("/api/incidents", """{"Reason":"x","Since":"2026-01-02T00:00:00Z","Until":"2026-01-01T00:00:00Z"}""", 409)]
    [InlineData("/api/incidents/zz/close", """{"Reason":"x"}""", 400)]
    [InlineData("/api/incidents/" + Nobody + "/close", """{"Reason":"x"}""", 404)]
    [InlineData("/api/incidents/" + Nobody + "/notes", """{"Reason":"a\nb"}""", 400)]
    public async Task What_cannot_be_done_is_refused_with_its_reason(string path, string body, int status)
    {
        var (answered, why) = await _console.PostAsync(path, body);
        Assert.True(answered == status, $"{answered} {why}");
        Assert.NotEmpty(why.GetProperty("Message").GetString()!);
        Assert.Equal(0, (await _console.GetAsync("/api/incidents")).GetProperty("Items").GetArrayLength());
    }

    [Fact]
    public async Task A_process_that_did_not_end_in_order_is_an_incident_and_those_that_follow_join_it()
    {
        var now = DateTimeOffset.UtcNow;
        var (one, two, three, four) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await ProcessAsync(now.AddMinutes(-30), new ProcessStarted("risk", one, "1.0", ".NET", 1, 0, "a"));
        // In order, and another of the same service beside it.
        await ProcessAsync(now.AddMinutes(-29), new ProcessStopped("risk", one, "asked to", "a"));
        await ProcessAsync(now.AddMinutes(-28), new ProcessStarted("risk", Guid.NewGuid(), "1.0", ".NET", 1, 0, "b"));
        await ProcessAsync(now.AddMinutes(-27), new ProcessStarted("risk", two, "1.0", ".NET", 1, 0, "a"));
        await ProcessAsync(now.AddMinutes(-20), new ProcessStarted("risk", three, "1.0", ".NET", 1, 0, "a"));
        var incident = await OnlyAsync("Crash");
        Assert.Equal(("crash:risk/a", 1, now.AddMinutes(-25).ToString("u")), (incident.GetProperty("Cause").GetString(), incident.GetProperty("Times").GetInt32(), incident.GetProperty("Since").GetDateTimeOffset().ToString("u")));
        Assert.Contains(two.ToString("N"), incident.GetProperty("Reason").GetString(), StringComparison.Ordinal);
        await ProcessAsync(now.AddMinutes(-10), new ProcessStarted("risk", four, "1.0", ".NET", 1, 0, "a"));
        await Eventually.HoldsAsync(async () => (await OnlyAsync("Crash")).GetProperty("Times").GetInt32() == 2, "it happened twice");
    }

    [Fact]
    public async Task A_halt_that_nobody_ordered_is_an_incident_and_one_that_somebody_ordered_is_none()
    {
        await ControlCommands.SendAsync(_console.Store, _console.Parts.Codec, new SetActivity(Activity.Halted, "anna's", "anna"), Guid.NewGuid(), "operator:anna", TimeProvider.System, Cancel);
        await ControlCommands.SendAsync(_console.Store, _console.Parts.Codec, new SetActivity(Activity.Halted, "no heartbeat", "watchdog"), Guid.NewGuid(), "service:watchdog", TimeProvider.System, Cancel);
        var incident = await OnlyAsync("Alert");
        Assert.Equal(("halt:service:watchdog", "service:watchdog halted trading: no heartbeat"), (incident.GetProperty("Cause").GetString(), incident.GetProperty("Reason").GetString()));
    }

    [Fact]
    public async Task The_same_alert_told_again_is_recorded_once_also_when_its_incident_is_closed_and_another_has_followed()
    {
        var book = new IncidentBook(_console.Parts);
        var at = DateTimeOffset.UtcNow.AddHours(-3);
        var first = Alert(1, at);
        await book.RaiseAsync(first, Cancel);
        await book.RaiseAsync(first, Cancel);
        var id = IncidentBook.IdOf("disk", 0);
        await _console.PostAsync($"/api/incidents/{id:N}/close", new { Reason = "larger" });
        await book.RaiseAsync(first, Cancel);
        // Seen before it was closed, heard of behind that.
        await book.RaiseAsync(Alert(2, at.AddMinutes(5)), Cancel);
        Assert.Equal(["incident_opened", "incident_closed", "incident_repeated"], await TypesAsync(id));
        await book.RaiseAsync(Alert(3, DateTimeOffset.UtcNow.AddMinutes(1)), Cancel);
        await book.RaiseAsync(Alert(4, DateTimeOffset.UtcNow.AddMinutes(3)), Cancel);
        await book.RaiseAsync(first, Cancel);
        Assert.Equal(["incident_opened", "incident_repeated"], await TypesAsync(IncidentBook.IdOf("disk", 1)));
        // Long after the last it is another one, though nobody has closed that.
        await book.RaiseAsync(Alert(5, DateTimeOffset.UtcNow.AddHours(2)), Cancel);
        for (var i = 0; i < 6; i++)
            await book.RaiseAsync(Alert(6 + i, DateTimeOffset.UtcNow.AddHours(4 + (2 * i))), Cancel);
        Assert.Equal(["incident_opened"], await TypesAsync(IncidentBook.IdOf("disk", 8)));
        Assert.Equal([], await TypesAsync(IncidentBook.IdOf("disk", 9)));
    }

    [Fact]
    public async Task Two_who_see_the_same_at_once_record_it_in_one_incident()
    {
        var at = DateTimeOffset.UtcNow;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => new IncidentBook(_console.Parts).RaiseAsync(Alert(i, at.AddSeconds(i)), Cancel)));
        Assert.Equal(["incident_opened"], await TypesAsync(IncidentBook.IdOf("disk", 0)));
        Assert.Equal([], await TypesAsync(IncidentBook.IdOf("disk", 1)));
    }

    [Fact]
    public async Task Where_everything_is_wrong_at_once_it_is_one_incident_behind_the_first_ones()
    {
        var (book, at) = (new IncidentBook(_console.Parts), DateTimeOffset.UtcNow);
        for (var i = 0; i < IncidentBook.OpenedInAnHourMax + 10; i++)
            await book.RaiseAsync(Alert(i, at.AddMinutes(2 * i)) with { Cause = $"cause {i}" }, Cancel);
        // One that is known already is not among them.
        await book.RaiseAsync(Alert(1_000, at.AddMinutes(40)) with { Cause = "cause 3" }, Cancel);
        await Eventually.HoldsAsync(async () => (await _console.GetAsync("/api/incidents?limit=100")).GetProperty("Items").GetArrayLength() == IncidentBook.OpenedInAnHourMax + 1, "they are in the list");
        Assert.Equal(10, (await TypesAsync(IncidentBook.IdOf("alerts", 0))).Count);
        Assert.Equal(["incident_opened", "incident_repeated"], await TypesAsync(IncidentBook.IdOf("cause 3", 0)));
        Assert.Contains("cause 20: full", (await _console.GetAsync($"/api/incidents/{IncidentBook.IdOf("alerts", 0):N}")).GetRawText(), StringComparison.Ordinal);
    }

    private static IncidentAlert Alert(int n, DateTimeOffset at) => new(DeterministicId.From("alert", n.ToString()), "disk", "full", at, TimeSpan.FromHours(1));

    private async Task<JsonElement> OnlyAsync(string source)
    {
        JsonElement found = default;
        await Eventually.HoldsAsync(async () =>
        {
            var items = (await _console.GetAsync("/api/incidents")).GetProperty("Items").EnumerateArray().ToList();
            Assert.True(items.Count <= 1, $"{items.Count} incidents");
            found = items.FirstOrDefault();
            return items.Count == 1;
        }, "there is an incident");
        Assert.Equal(source, found.GetProperty("Source").GetString());
        return found;
    }

    private async Task<List<string>> TypesAsync(Guid incident) => await _console.Store.ReadStreamAsync(Streams.Incident(incident), cancellationToken: Cancel).Select(e => e.Type).ToListAsync(Cancel);

    private async Task ProcessAsync(DateTimeOffset at, object @event) => Assert.IsType<AppendOutcome.Appended>(await _console.Store.AppendAsync(
        new AppendRequest
        {
            Stream = Streams.Process("risk"), Expected = ExpectedVersion.Any, Decision = new Decision(Guid.NewGuid(), "test"), At = at, Meta = new EventMeta(null, null, "process:risk"),
            Events = [new EventCodec(new EventRegistry().Add(typeof(ProcessStarted), typeof(ProcessStopped))).Encode(@event)],
        },
        Cancel));

    private async Task<JsonElement> RunAsync(int exitCode, params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, [.. arguments, "--json", "--console", _console.Address, "--token-file", _token]);
        Assert.True(said.ExitCode == exitCode, $"{said.ExitCode}: {said.Error}");
        return JsonDocument.Parse(said.Output).RootElement;
    }
}
