using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Antbot.Hosting.Telemetry;

/// <summary>Traces and metrics to an OpenTelemetry collector, where the environment names one. The exporter reads its own standard variables.</summary>
internal sealed class Otlp : IDisposable
{
    public const string Variable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;

    private Otlp(TracerProvider? traces, MeterProvider? metrics) => (_traces, _metrics) = (traces, metrics);

    public static Otlp Start(string service, string instance)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)))
            return new Otlp(null, null);
        var resource = ResourceBuilder.CreateDefault().AddService($"antbot-{service}", serviceNamespace: "antbot", serviceVersion: ProcessLife.Build, serviceInstanceId: instance);
        return new Otlp(
            Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource("Antbot.*", "MassTransit", "Microsoft.AspNetCore", "Npgsql").AddOtlpExporter().Build(),
            Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter("Antbot.*", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel").AddOtlpExporter().Build());
    }

    /// <summary>Sends what is still held, for a moment.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }
}
