using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Antbot.Hosting.Telemetry;

/// <summary>
/// Every meter of ours in Prometheus's text format. An instrument holds at most so many label sets; what comes beyond goes into
/// one that says so, because labels made of ids would fill the memory here and there.
/// </summary>
internal sealed class PrometheusMetrics : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const string MeterPrefix = "Antbot.";
    private const int LabelSetsMax = 200;
    private const string Overflow = "overflow=\"true\"";

    private static readonly double[] Bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly ConcurrentDictionary<Instrument, Series> _series = new();
    private readonly MeterListener _listener = new();
    private readonly Lock _collecting = new();
    private readonly Meter _own = new(MeterPrefix + "Metrics");
    private readonly Counter<long> _failures;

    public PrometheusMetrics()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith(MeterPrefix, StringComparison.Ordinal))
                listener.EnableMeasurementEvents(instrument, _series.GetOrAdd(instrument, static i => new Series(i)));
        };
        // A meter that is disposed of takes its figures with it.
        _listener.MeasurementsCompleted = (instrument, _) => _series.TryRemove(instrument, out Series? _);
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => Take(value, tags, state));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => Take(value, tags, state));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => Take(value, tags, state));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, state) => Take((double)value, tags, state));
        _listener.Start();
        _failures = _own.CreateCounter<long>("antbot_metrics_failed_total", description: "Times that an instrument failed when it was asked for its figure.");
    }

    public string Render()
    {
        var text = new StringBuilder();
        foreach (var series in Collect())
            series.Render(text);
        return text.ToString();
    }

    /// <summary>The sum of a counter over all its labels; 0 where there is none of that name.</summary>
    public double Sum(string name) => Collect().Where(s => s.Name == name).Sum(s => s.Sum);

    public void Dispose()
    {
        _listener.Dispose();
        _own.Dispose();
    }

    /// <summary>
    /// While an instrument comes or goes, on another thread, the listener already tells of it or still does, without what it was
    /// enabled with: that figure belongs to nothing.
    /// </summary>
    private static void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) => (state as Series)?.Take(value, tags);

    /// <summary>Instruments of one name belong under one heading, whichever meter they are of.</summary>
    private List<Family> Collect()
    {
        lock (_collecting)
        {
            foreach (var series in _series.Values.Where(s => s.IsObserved))
                series.Forget();
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException failures)
            {
                // The others have been asked all the same. One that fails may not take the figures of all, nor a process's orderly end, with it.
                _failures.Add(failures.InnerExceptions.Count);
            }
            return [.. _series.Values.GroupBy(s => s.Name, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new Family(g.Key, [.. g]))];
        }
    }

    private sealed record Family(string Name, IReadOnlyList<Series> Series)
    {
        public double Sum => Series.Sum(s => s.Sum);

        public void Render(StringBuilder text)
        {
            text.Append("# HELP ").Append(Name).Append(' ').Append(Escape(Series[0].Help)).Append('\n');
            text.Append("# TYPE ").Append(Name).Append(' ').Append(Series[0].Type).Append('\n');
            foreach (var series in Series)
                series.Render(text);
        }
    }

    private sealed class Series(Instrument instrument)
    {
        private readonly ConcurrentDictionary<string, Cell> _cells = new(StringComparer.Ordinal);

        public string Name { get; } = string.Concat(instrument.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' ? c : '_'));

        public string Help { get; } = instrument.Description ?? instrument.Name;

        public string Type { get; } = Kind(instrument) switch
        {
            "Counter" or "ObservableCounter" => "counter",
            "Histogram" => "histogram",
            _ => "gauge",
        };

        public bool IsObserved { get; } = instrument.IsObservable;

        public double Sum => _cells.Values.Sum(c => c.Value);

        /// <summary>What is observed says everything each time, what is counted only what was added.</summary>
        private bool IsSet { get; } = instrument.IsObservable || Kind(instrument) == "Gauge";

        public void Forget() => _cells.Clear();

        public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var labels = Labels(tags);
            if (!_cells.TryGetValue(labels, out var cell))
                cell = _cells.GetOrAdd(_cells.Count < LabelSetsMax ? labels : Overflow, _ => new Cell(Type == "histogram"));
            if (IsSet)
                cell.Set(value);
            else
                cell.Add(value);
        }

        public void Render(StringBuilder text)
        {
            // Its own copy: one that LINQ makes fails when a cell is added meanwhile.
            foreach (var (labels, cell) in _cells.ToArray().OrderBy(c => c.Key, StringComparer.Ordinal))
                cell.Render(text, Name, labels);
        }

        private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0];

        private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.Length == 0)
                return "";
            if (tags.Length == 1)
                return $"{tags[0].Key}=\"{Escape(Text(tags[0].Value))}\"";
            var labels = new string[tags.Length];
            for (var i = 0; i < labels.Length; i++)
                labels[i] = $"{tags[i].Key}=\"{Escape(Text(tags[i].Value))}\"";
            Array.Sort(labels, StringComparer.Ordinal);
            return string.Join(',', labels);
        }

        private static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
    }

    private sealed class Cell(bool hasBuckets)
    {
        private readonly Lock _lock = new();
        private readonly long[]? _buckets = hasBuckets ? new long[Bounds.Length] : null;
        private double _value;
        private long _count;

        public double Value
        {
            get
            {
                lock (_lock)
                    return _value;
            }
        }

        public void Set(double value)
        {
            lock (_lock)
                _value = value;
        }

        public void Add(double value)
        {
            lock (_lock)
            {
                _value += value;
                _count++;
                for (var i = 0; _buckets is not null && i < Bounds.Length; i++)
                {
                    if (value <= Bounds[i])
                    {
                        _buckets[i]++;
                        break;
                    }
                }
            }
        }

        public void Render(StringBuilder text, string name, string labels)
        {
            lock (_lock)
            {
                if (_buckets is null)
                {
                    Line(text, name, labels, _value);
                    return;
                }
                var below = 0L;
                for (var i = 0; i < Bounds.Length; i++)
                {
                    below += _buckets[i];
                    Line(text, $"{name}_bucket", With(labels, Number(Bounds[i])), below);
                }
                Line(text, $"{name}_bucket", With(labels, "+Inf"), _count);
                Line(text, $"{name}_sum", labels, _value);
                Line(text, $"{name}_count", labels, _count);
            }
        }

        private static string With(string labels, string bound) => labels.Length == 0 ? $"le=\"{bound}\"" : $"{labels},le=\"{bound}\"";

        private static void Line(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0)
                text.Append('{').Append(labels).Append('}');
            text.Append(' ').Append(Number(value)).Append('\n');
        }

        private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
    }

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
