using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>Hears of every commit, whichever process made it. While it is deaf, those who wait look by themselves.</summary>
internal sealed class PostgresListener : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _stop = new();
    private readonly NpgsqlDataSource _source;
    private readonly AppendSignal _signal;
    private readonly TimeProvider _clock;
    private readonly Task _run;

    public PostgresListener(NpgsqlDataSource source, AppendSignal signal, TimeProvider clock)
    {
        (_source, _signal, _clock) = (source, signal, clock);
        _run = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _stop.CancelAsync();
        }
        catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is ObjectDisposedException))
        {
            // Npgsql's part in it met a connection that broke at the same moment; the token is cancelled all the same.
        }
        await _run;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or InvalidOperationException or OperationCanceledException)
            {
                await Task.Delay(RetryPause, _clock, _stop.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, _) => _signal.Announce();
        await using (var listen = new NpgsqlCommand("listen antbot_events", connection))
            await listen.ExecuteNonQueryAsync(cancellationToken);
        // What was committed before we listened was not heard.
        _signal.Announce();
        while (true)
            await connection.WaitAsync(cancellationToken);
    }
}
