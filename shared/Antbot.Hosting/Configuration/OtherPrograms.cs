namespace Antbot.Hosting;

/// <param name="Example">Its default, or what it may look like; empty where there is none.</param>
internal sealed record OtherVariable(string Name, string Example, string Means);

/// <summary>What is read by programs that host no module, or by none of ours. A test holds it to the sources.</summary>
internal static class OtherPrograms
{
    public static IReadOnlyList<(string Section, IReadOnlyList<OtherVariable> Variables)> All { get; } =
    [
        ("paper venue, each also as NAME_FILE",
        [
            new("ANTBOT_VENUE_API_KEY", "", "The key of its first account. Made at the first start and kept under its data folder where it is not given."),
            new("ANTBOT_VENUE_API_SECRET", "", "The secret of its first account, made likewise."),
            new("ANTBOT_VENUE_ADMIN_KEY", "", "The key of its admin routes, made likewise."),
        ]),
        ("antbot, the command line; it reads the store, the archives and the recording by the services' own variables too",
        [
            new("ANTBOT_CONSOLE", "http://127.0.0.1:8080", "Where the Console is. What runs here is found without it. The token is in ANTBOT_CONSOLE__TOKEN_FILE."),
            new("ANTBOT_SIGNALS", "http://127.0.0.1:8090", "Where 'antbot signal' posts to. The key is in ANTBOT_SIGNAL__APIKEY_FILE."),
            new("ANTBOT_CHECKPOINTS", ".local/checkpoints.jsonl", "The file with the signed checkpoints of the history."),
            new("ANTBOT_SIGNING_KEY_FILE", "", "The private key that checkpoints and bundles are signed with."),
            new("ANTBOT_SIGNING_KEY", "", "The same as PEM; the file is better."),
            new("ANTBOT_PUBLIC_KEY_FILE", "", "The public key that 'antbot verify' holds checkpoints against."),
            new("ANTBOT_PUBLISH_TOKEN", "", "Where checkpoints are published to an address over https: its token. This and the next two each also as NAME_FILE."),
            new("ANTBOT_PUBLISH_ACCESSKEY", "", "Where they are published to a bucket: the id of the access key."),
            new("ANTBOT_PUBLISH_SECRETKEY", "", "The secret of that access key."),
        ]),
        ("OpenTelemetry, read by its exporter in every service",
        [
            new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317", "The collector that spans and metrics go to; none are sent where it is not given."),
            new("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "grpc or http/protobuf."),
            new("OTEL_EXPORTER_OTLP_HEADERS", "", "What the collector asks for, as name=value with commas between them. It may be a secret."),
            new("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "How many milliseconds the collector may take."),
            new("OTEL_BSP_SCHEDULE_DELAY", "5000", "How many milliseconds spans are held at most before they are sent."),
            new("OTEL_METRIC_EXPORT_INTERVAL", "60000", "Every so many milliseconds metrics are sent."),
        ]),
        ("docker compose",
        [
            new("CONSOLE_PORT", "8080", "The port of this machine that the Console is reached at."),
            new("SIGNAL_PORT", "8090", "The port of this machine that signals are posted to."),
        ]),
        ("make up and tests",
        [
            new("ANTBOT_POSTGRES_BIN", "", "The folder with PostgreSQL's programs, where they are not found by themselves."),
            new("ANTBOT_RABBITMQ_SBIN", "", "The folder with RabbitMQ's programs, likewise."),
            new("ANTBOT_EPMD", "", "The program epmd that RabbitMQ needs, likewise."),
            new("ANTBOT_TEST_POSTGRES", "", "A PostgreSQL that tests may use instead of one of their own, as a connection string of a superuser."),
            new("ANTBOT_TEST_RABBITMQ", "", "A RabbitMQ that tests may use, as amqp://user:password@host:port."),
            new("ANTBOT_TEST_RABBITMQ_MANAGEMENT", "", "Where that one's management API is."),
            new("ANTBOT_STOP_WITH_PARENT", "", "true: a process ends in order when its standard input closes. Set by whoever supervises it."),
        ]),
    ];
}
