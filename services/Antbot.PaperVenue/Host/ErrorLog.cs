using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue;

/// <summary>Warnings and worse as lines of JSON on standard error, for the program that runs the venue alone.</summary>
internal sealed class ErrorLog : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Logger(categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("This log has one place to go.");

    public void Dispose()
    {
        // Nothing is kept back.
    }

    private sealed class Logger(string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Console.Error.WriteLine(JsonSerializer.Serialize(new { time = DateTimeOffset.UtcNow, level = logLevel.ToString(), category, message = formatter(state, exception), error = exception?.ToString() }, JsonSerializerOptions.Web));
        }
    }
}
