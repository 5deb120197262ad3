using System.Diagnostics.Metrics;
using Antbot.Hosting.Telemetry;
using Xunit;

namespace Antbot.Hosting.Tests.Telemetry;

public sealed class PrometheusMetricsTests : IDisposable
{
    private readonly Meter _meter = new($"Antbot.Test.{Guid.NewGuid():N}");
    private readonly PrometheusMetrics _metrics = new();
    private readonly string _name = $"test_{Guid.NewGuid():N}";

    public void Dispose()
    {
        _meter.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void Counters_add_up_by_their_labels_whatever_order_those_come_in()
    {
        var counter = _meter.CreateCounter<long>(_name, description: "Two\nlines and a \\.");
        counter.Add(1, new("b", "x"), new("a", "say \"hi\"\n"));
        counter.Add(2, new("a", "say \"hi\"\n"), new("b", "x"));
        counter.Add(4);
        Assert.Equal(
            $"# HELP {_name} Two\\nlines and a \\\\.\n# TYPE {_name} counter\n{_name} 4\n{_name}{{a=\"say \\\"hi\\\"\\n\",b=\"x\"}} 3\n",
            Mine());
        Assert.Equal(7, _metrics.Sum(_name));
    }

    [Fact]
    public void A_histograms_buckets_hold_all_that_is_below_them()
    {
        var histogram = _meter.CreateHistogram<double>(_name);
        foreach (var value in new[] { 0.0001, 0.004, 0.2, 100 })
            histogram.Record(value, new KeyValuePair<string, object?>("k", "v"));
        var text = Mine();
        Assert.Contains($"# TYPE {_name} histogram\n", text, StringComparison.Ordinal);
        foreach (var line in new[] { "_bucket{k=\"v\",le=\"0.0005\"} 1", "_bucket{k=\"v\",le=\"0.005\"} 2", "_bucket{k=\"v\",le=\"0.25\"} 3", "_bucket{k=\"v\",le=\"60\"} 3", "_bucket{k=\"v\",le=\"+Inf\"} 4", "_count{k=\"v\"} 4", "_sum{k=\"v\"} 100.2041" })
            Assert.Contains($"{_name}{line}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_observed_is_asked_each_time_and_what_is_gone_is_not_shown_any_more()
    {
        var there = new List<string> { "one", "two" };
        _meter.CreateObservableGauge(_name, () => there.Select(t => new Measurement<int>(t.Length, new KeyValuePair<string, object?>("t", t))));
        Assert.Contains("{t=\"two\"} 3", Mine(), StringComparison.Ordinal);
        there.Remove("two");
        there.Add("three");
        var text = Mine();
        Assert.Contains("{t=\"one\"} 3", text, StringComparison.Ordinal);
        Assert.Contains("{t=\"three\"} 5", text, StringComparison.Ordinal);
        Assert.DoesNotContain("two", text, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_fails_is_counted_and_takes_no_other_with_it()
    {
        _meter.CreateObservableGauge($"{_name}_bad", int () => throw new InvalidOperationException("No figure today."));
        _meter.CreateObservableGauge(_name, () => 5);
        Assert.Contains($"{_name} 5\n", _metrics.Render(), StringComparison.Ordinal);
        Assert.True(_metrics.Sum("antbot_metrics_failed_total") >= 1);
    }

    /// <summary>A process within another one's tests ended with an exception, because a third began at that moment.</summary>
    [Fact]
    public async Task Instruments_that_come_and_go_meanwhile_do_not_fail_it()
    {
        var stop = false;
        var coming = Task.Run(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                using var meter = new Meter($"Antbot.Test.{_name}");
                for (var i = 0; i < 20; i++)
                    meter.CreateObservableGauge($"{_name}_{i}", () => 1);
            }
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < 3_000; i++)
            _metrics.Render();
        Volatile.Write(ref stop, true);
        await coming;
        Assert.Equal(0, _metrics.Sum("antbot_metrics_failed_total"));
    }

    [Fact]
    public void Labels_without_end_end_in_one_place()
    {
        var counter = _meter.CreateCounter<long>(_name);
        for (var i = 0; i < 5_000; i++)
            counter.Add(1, new KeyValuePair<string, object?>("id", i));
        var lines = Mine().Split('\n').Count(l => l.StartsWith($"{_name}{{", StringComparison.Ordinal));
        Assert.InRange(lines, 1, 201);
        Assert.Contains($"{_name}{{overflow=\"true\"}} 4800\n", Mine(), StringComparison.Ordinal);
        Assert.Equal(5_000, _metrics.Sum(_name));
    }

    [Fact]
    public async Task Nothing_is_lost_when_many_count_at_once_and_somebody_reads_meanwhile()
    {
        var (counter, histogram) = (_meter.CreateCounter<long>(_name), _meter.CreateHistogram<double>($"{_name}_time"));
        var counting = Enumerable.Range(0, 8).Select(t => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                counter.Add(1, new KeyValuePair<string, object?>("t", t % 3));
                histogram.Record(i);
            }
        })).ToList();
        while (!counting.TrueForAll(c => c.IsCompleted))
            Assert.NotEmpty(_metrics.Render());
        await Task.WhenAll(counting);
        Assert.Equal(80_000, _metrics.Sum(_name));
        Assert.Contains($"{_name}_time_count 80000\n", Mine(), StringComparison.Ordinal);
    }

    [Fact]
    public void Meters_of_others_are_left_out()
    {
        using var other = new Meter("Somebody.Else");
        other.CreateCounter<long>(_name).Add(1);
        Assert.DoesNotContain(_name, _metrics.Render(), StringComparison.Ordinal);
    }

    private string Mine() => string.Concat(_metrics.Render().Split('\n').Where(l => l.Contains(_name, StringComparison.Ordinal)).Select(l => l + "\n"));
}
