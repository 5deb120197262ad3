using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Hosting.Tests.Hosts;

/// <summary>What the operating documents' own variables do to a process.</summary>
public sealed class DocumentSettingsTests : IDisposable
{
    private const string Password = "hush=4711,hush";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-documents-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Store => $"sqlite:{Path.Combine(_folder, "antbot.db")}";

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Health_and_metrics_ask_for_the_documents_name_and_password_and_probes_stay_open()
    {
        var file = Path.Combine(_folder, "password");
        await File.WriteAllTextAsync(file, Password + "\n", Cancel);
        await using var service = ServiceProcess.Start("execution", ("STORE", Store), ("HEALTHKEY", "a-key-of-16-letters"), ("=HEALTH_USERNAME", "anna"), ("=HEALTH_PASSWORD_FILE", file));
        await service.ReadyAsync();
        Assert.Equal(HttpStatusCode.OK, (await service.GetAsync("/healthz")).Status);
        foreach (var path in new[] { "/health", "/metrics" })
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(path, Basic("anna", Password)));
            Assert.Equal(HttpStatusCode.OK, await AskAsync(path, new AuthenticationHeaderValue("Bearer", "a-key-of-16-letters")));
            foreach (var wrong in new[] { null, Basic("anna", "hush=4711,husH"), Basic("Anna", Password), Basic("anna", ""), Basic("", ""), new("Basic", "%%%"), new("Basic", new string('A', 4_000)), new("Basic"), new("Bearer", Password) })
                Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(path, wrong));
        }
        Assert.Equal(0, await service.StopAsync());
        Assert.DoesNotContain(service.Output.Concat(service.Errors), l => l.Contains("4711", StringComparison.Ordinal));

        async Task<HttpStatusCode> AskAsync(string path, AuthenticationHeaderValue? authorization)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = authorization } };
            using var answer = await service.Http.SendAsync(request, Cancel);
            Assert.Equal(answer.StatusCode == HttpStatusCode.Unauthorized, answer.Headers.WwwAuthenticate.Any(w => w.Scheme == "Basic"));
            return answer.StatusCode;
        }
    }

    /// <summary>Taking the variable out again says nothing of whether the reason is over.</summary>
    [Fact]
    public async Task An_emergency_shutdown_is_a_recorded_halt_that_outlasts_its_variable()
    {
        await using (var service = ServiceProcess.Start("execution", ("STORE", Store), ("INSTANCE", "one"), ("=BOT_EMERGENCY_SHUTDOWN", "true")))
        {
            await service.ReadyAsync();
            await IsHaltedAsync(service);
            Assert.Equal(0, await service.StopAsync());
        }
        // Halted already: once is enough.
        foreach (var said in new[] { "1", "false" })
        {
            await using var service = ServiceProcess.Start("execution", ("STORE", Store), ("=BOT_EMERGENCY_SHUTDOWN", said));
            await service.ReadyAsync();
            await IsHaltedAsync(service);
            Assert.Equal(0, await service.StopAsync());
        }
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(_folder, "antbot.db"), ReadOnly = true }, Cancel);
        var halt = Assert.Single(await store.ReadPageAsync(0, 1_000, Cancel), e => e.Stream == Streams.Control.Value);
        var told = JsonDocument.Parse(halt.Data).RootElement;
        Assert.Equal(("activity_set", 3), (halt.Type, told.GetProperty("Activity").GetInt32()));
        Assert.Equal("emergency shutdown: BOT_EMERGENCY_SHUTDOWN was set where execution (one) started", told.GetProperty("Reason").GetString());

        static Task IsHaltedAsync(ServiceProcess service) => service.UntilAsync(
            async () => (await service.GetAsync("/health")).Body.GetProperty("control") is var control && control.GetProperty("activity").GetString() == "halted" && control.GetProperty("reason").GetString()!.Contains("BOT_EMERGENCY_SHUTDOWN", StringComparison.Ordinal),
            "it is halted");
    }

    private static AuthenticationHeaderValue Basic(string name, string password) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));
}
