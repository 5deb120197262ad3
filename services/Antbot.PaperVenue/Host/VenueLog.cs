using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue;

/// <summary>
/// What the program that runs the venue alone says, and warnings and worse of its parts: on a terminal text, else lines of JSON. They are those of
/// the services, with which an exchange shares nothing but the Kernel.
/// </summary>
internal sealed class VenueLog(TextWriter output, bool isText) : ILoggerFactory
{
    private const string Service = "venue";
    private const string Category = "Antbot.PaperVenue";

    private static readonly JsonSerializerOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly string _instance = Environment.GetEnvironmentVariable("ANTBOT_INSTANCE") is { Length: > 0 } named ? named : Environment.MachineName;

    public void Say(string what) => Write(LogLevel.Information, Category, what, null);

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("This log has one place to go.");

    public void Dispose()
    {
        // Nothing is kept back.
    }

    private void Write(LogLevel level, string category, string message, Exception? exception) => output.WriteLine(isText
        ? $"{(level > LogLevel.Information ? "! " : "")}{message}{(exception is null ? "" : Environment.NewLine + exception)}"
        : JsonSerializer.Serialize(
            new
            {
                time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
                level = level.ToString(),
                service = Service,
                instance = _instance,
                category,
                message,
                trace = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.TraceId.ToHexString() : null,
                exception = exception?.ToString(),
            },
            Format));

    private sealed class Logger(VenueLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Write(logLevel, category, formatter(state, exception), exception);
        }
    }
}
