using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Antbot.Hosting.Tests.Hosts;
using Xunit;

namespace Antbot.Hosting.Tests.Telemetry;

public sealed class OtlpTests
{
    [Fact]
    public async Task Traces_and_metrics_go_to_the_collector_that_the_environment_names()
    {
        var cancel = TestContext.Current.CancellationToken;
        var address = $"http://127.0.0.1:{ServiceProcess.FreePort()}/";
        var received = new ConcurrentDictionary<string, string>();
        using var collector = new HttpListener { Prefixes = { address } };
        collector.Start();
        var serving = Task.Run(
            async () =>
            {
                while (collector.IsListening)
                {
                    try
                    {
                        var context = await collector.GetContextAsync();
                        using var body = new MemoryStream();
                        await context.Request.InputStream.CopyToAsync(body, cancel);
                        received.AddOrUpdate(context.Request.Url!.AbsolutePath, _ => Encoding.Latin1.GetString(body.ToArray()), (_, s) => s + Encoding.Latin1.GetString(body.ToArray()));
                        context.Response.Close();
                    }
                    catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                    {
                        return;
                    }
                }
            },
            cancel);
        var folder = Directory.CreateTempSubdirectory("antbot-otlp-").FullName;
        try
        {
            await using var service = ServiceProcess.Start(
                "execution,risk", ("STORE", $"sqlite:{folder}/antbot.db"), ("=OTEL_EXPORTER_OTLP_ENDPOINT", address), ("=OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("=OTEL_BSP_SCHEDULE_DELAY", "200"),
                ("=OTEL_METRIC_EXPORT_INTERVAL", "500"));
            await service.ReadyAsync();
            await service.WishAsync(Guid.NewGuid(), "please", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
            var trace = Encoding.Latin1.GetString(Convert.FromHexString("0af7651916cd43dd8448eb211c80319c"));
            await service.UntilAsync(
                () => Task.FromResult(
                    received.TryGetValue("/v1/traces", out var traces) && traces.Contains("handle CloseTrade", StringComparison.Ordinal) && traces.Contains("handle EntryFailed", StringComparison.Ordinal)
                    && traces.Contains(trace, StringComparison.Ordinal) && traces.Contains("antbot-standalone", StringComparison.Ordinal)
                    && received.TryGetValue("/v1/metrics", out var metrics) && metrics.Contains("antbot_messages_handled_total", StringComparison.Ordinal)),
                "spans of both handlers and the metrics have come");
            Assert.Equal(0, await service.StopAsync());
        }
        finally
        {
            collector.Stop();
            await serving;
            Directory.Delete(folder, recursive: true);
        }
    }
}
