using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Antbot.Runtime.Telemetry;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting.Telemetry;

/// <summary>
/// Logs to the standard output, a line an entry: JSON for machines, text for a terminal. Nobody waits for the output: while it is
/// stuck, lines beyond the buffer are dropped and their number is told.
/// </summary>
[ProviderAlias("Lines")]
internal sealed class LineLogger : ILoggerProvider, ISupportExternalScope, IAsyncDisposable
{
    private const int LinesMax = 16_384;
    private const int TextLengthMax = 16_000;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(LinesMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly string _service;
    private readonly string _instance;
    private readonly bool _isText;
    private readonly SecretTexts _secrets;
    private readonly TimeProvider _clock;
    private readonly TextWriter _output;
    private readonly Task _writing;
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();
    private long _dropped;
    private int _disposed;

    public LineLogger(string service, string instance, bool isText, SecretTexts secrets, TimeProvider clock, Stream output)
    {
        (_service, _instance, _isText, _secrets, _clock) = (service, instance, isText, secrets, clock);
        _output = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 32 * 1024) { AutoFlush = false };
        _writing = Task.Run(WriteAsync);
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _lines.Writer.TryComplete();
        // A reader that never reads must not keep the process.
        await _writing.WaitAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WriteAsync()
    {
        try
        {
            while (await _lines.Reader.WaitToReadAsync())
            {
                while (_lines.Reader.TryRead(out var line))
                    await _output.WriteLineAsync(line);
                if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
                    await _output.WriteLineAsync(Compose(LogLevel.Warning, nameof(LineLogger), $"{dropped} lines were dropped because the output was stuck", null, []));
                await _output.FlushAsync();
            }
        }
        catch (IOException)
        {
            // Nobody listens any more; what is logged from here on is for nobody.
            _lines.Writer.TryComplete();
        }
    }

    private void Log(LogLevel level, string category, string message, Exception? exception)
    {
        var fields = new List<KeyValuePair<string, object?>>();
        _scopes.ForEachScope(
            static (scope, fields) =>
            {
                if (scope is IEnumerable<KeyValuePair<string, object?>> pairs)
                    fields.AddRange(pairs.Where(p => p.Value is not null && p.Key is "trade" or "trace" or "endpoint" or "message" or "work"));
            },
            fields);
        if (!_lines.Writer.TryWrite(Compose(level, category, message, exception, fields)))
            Interlocked.Increment(ref _dropped);
    }

    private string Compose(LogLevel level, string category, string message, Exception? exception, List<KeyValuePair<string, object?>> fields)
    {
        message = Cap(_secrets.Strike(message));
        var fault = exception is null ? null : Cap(_secrets.Strike(exception.ToString()));
        var trace = Find(fields, "trace") ?? (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.TraceId.ToHexString() : null);
        return _isText ? Text(level, category, message, fault, Find(fields, "trade")) : Json(level, category, message, fault, trace, fields);
    }

    private string Text(LogLevel level, string category, string message, string? fault, string? trade)
    {
        var mark = level switch { LogLevel.Critical or LogLevel.Error => "ERROR ", LogLevel.Warning => "WARN  ", LogLevel.Information => "", _ => "debug " };
        return $"{_clock.GetLocalNow():HH:mm:ss.fff} {mark}{category[(category.LastIndexOf('.') + 1)..]}: {message}{(trade is null ? "" : $" [trade {trade}]")}{(fault is null ? "" : Environment.NewLine + fault)}";
    }

    private string Json(LogLevel level, string category, string message, string? fault, string? trace, List<KeyValuePair<string, object?>> fields)
    {
        // The innermost scope comes last and knows best.
        var further = fields.AsEnumerable().Reverse().Where(f => f.Key is not ("trace" or "message")).DistinctBy(f => f.Key, StringComparer.Ordinal).Select(f => (f.Key, Convert.ToString(f.Value, CultureInfo.InvariantCulture)));
        if (Find(fields, "message") is { } type)
            further = further.Append(("message_type", type));
        return LogLine.Json(_clock.GetUtcNow(), level.ToString(), _service, _instance, category, message, trace, further, fault);
    }

    private static string? Find(List<KeyValuePair<string, object?>> fields, string name) => fields.FindLast(f => f.Key == name).Value as string;

    private static string Cap(string text) => text.Length <= TextLengthMax ? text : $"{text[..TextLengthMax]}… ({text.Length} characters)";

    private sealed class Logger(LineLogger owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner.Log(logLevel, category, formatter(state, exception), exception);
    }
}
