using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>The services start before their database and their broker.</summary>
public sealed class AbsentAtStartTests(PostgresFixture postgres, RabbitFixture rabbit)
{
    [Fact]
    public async Task The_real_services_wait_say_for_what_and_go_on_by_themselves()
    {
        TcpProxy? toStore = null, toBus = null;
        var addresses = (Store: "", Bus: "");
        try
        {
            await using var platform = await WholePlatform.StartAsync(postgres, rabbit, ["execution:holdingSecondsMax=2"], (database, host) =>
            {
                toStore = new TcpProxy(new NpgsqlConnectionStringBuilder(database.ConnectionString).Port) { Down = true };
                toBus = new TcpProxy(host.Uri.Port) { Down = true };
                addresses = (new NpgsqlConnectionStringBuilder(database.ConnectionString) { Host = "127.0.0.1", Port = toStore.Port }.ConnectionString, new UriBuilder(host.Uri) { Port = toBus.Port }.Uri.ToString());
                return (toStore.Port, toBus.Port);
            });
            await WholePlatform.UntilAsync(
                async () => await platform.ReadyzAsync() is (HttpStatusCode.ServiceUnavailable, var body)
                    && ReasonOf(body, "store").Contains("PostgreSQL", StringComparison.Ordinal) && ReasonOf(body, "bus").Contains("RabbitMQ at 127.0.0.1", StringComparison.Ordinal),
                () => "it says what it waits for");
            toBus!.Down = false;
            // The broker alone: every endpoint says that it takes nothing, and why.
            await WholePlatform.UntilAsync(
                async () => await platform.ReadyzAsync() is (HttpStatusCode.ServiceUnavailable, var body) && ReasonOf(body, "bus") == ""
                    && Routes.Endpoints.All(e => ReasonOf(body, $"endpoint-{e}").Contains("'store' is down", StringComparison.Ordinal)),
                () => "no message is taken without the store");
            toStore!.Down = false;
            await platform.ReadyAsync();

            using var asked = new System.Diagnostics.Activity("asked for").SetIdFormat(ActivityIdFormat.W3C).Start();
            using var spans = new VenueSpans(asked.TraceId);
            var trade = await platform.SignalAsync(new { symbol = "BTCUSDT", side = "buy", notional = 50 });
            asked.Stop();
            await platform.SettledAsync([trade]);
            await platform.HoldsAsync([trade]);
            Assert.Equal(TradePhase.Closed, platform.History.Trades[trade].Phase);
            // From the request to the last look at the venue, what its age brought about included: one trace.
            Assert.All(platform.History.Events.Where(e => e.Stored.CorrelationId == trade.Value), e => Assert.Equal((e.Stored.Type, asked.TraceId.ToHexString()), (e.Stored.Type, e.Stored.TraceId)));
            // And so are the requests to the venue, those of the way out included, which no message has asked for.
            Assert.Subset(spans.Names, new HashSet<string>(StringComparer.Ordinal) { "venue entry", "venue exit" });
            await platform.NothingIsDeadLetteredAsync();
            await AHaltNeedsNoBrokerAsync(platform, toBus, addresses.Store, addresses.Bus);
        }
        finally
        {
            if (toStore is not null)
                await toStore.DisposeAsync();
            if (toBus is not null)
                await toBus.DisposeAsync();
        }
    }

    /// <summary>An operator's word to the Console reaches Execution, in another process, with the broker away.</summary>
    private static async Task AHaltNeedsNoBrokerAsync(WholePlatform platform, TcpProxy toBus, string store, string bus)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-execution-");
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{FreePort.Next()}") };
        using var execution = AntbotProcess.Start(
            "Antbot.Execution.dll", folder.FullName,
            [
                ("STORE", store), ("BUS", bus), ("LISTEN", http.BaseAddress.ToString()), ("LOGLEVEL", "Critical"), ("VENUE__PAPER", "true"), ("VENUE__ADDRESS", platform.VenueAddress.ToString()),
                ("VENUE__KEY", platform.VenueKey.Key), ("VENUE__SECRET", platform.VenueKey.Secret),
            ],
            []);
        try
        {
            await WholePlatform.UntilAsync(async () => await ReadAsync("/readyz") is (HttpStatusCode.OK, _), () => "the second Execution is ready");
            await WholePlatform.UntilAsync(async () => (await ReadAsync("/metrics")).Text.Contains("antbot_control_activity 1\n", StringComparison.Ordinal), () => "its recovery has ended");

            toBus.Down = true;
            toBus.BreakAll();
            await WholePlatform.UntilAsync(async () => await ReadAsync("/readyz") is (HttpStatusCode.ServiceUnavailable, var said) && said.Contains("\"bus\"", StringComparison.Ordinal), () => "it has no bus");
            Assert.Equal(HttpStatusCode.OK, await platform.HaltAsync("the broker is away"));
            await WholePlatform.UntilAsync(async () => (await ReadAsync("/metrics")).Text.Contains("antbot_control_activity 3\n", StringComparison.Ordinal), () => "the halt is in force there");
            Assert.Contains("\"bus\"", (await ReadAsync("/readyz")).Text, StringComparison.Ordinal);
            toBus.Down = false;
        }
        finally
        {
            execution.Kill();
            await execution.WaitForExitAsync(CancellationToken.None);
            folder.Delete(recursive: true);
        }

        async Task<(HttpStatusCode Status, string Text)> ReadAsync(string path)
        {
            try
            {
                using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);
                return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
            catch (Exception e) when (e is HttpRequestException or SocketException && !execution.HasExited)
            {
                // It does not listen yet.
                return (default, "");
            }
        }
    }

    private static string ReasonOf(JsonElement body, string name) =>
        body.GetProperty("reasons").EnumerateArray().Where(r => r.GetProperty("name").GetString() == name).Select(r => r.GetProperty("reason").GetString() ?? "").FirstOrDefault("");
}
