namespace Antbot.Benchmarks.Pipeline;

/// <summary>A pipeline that is up: signals go in, trades come out.</summary>
internal interface IPipeline : IAsyncDisposable
{
    SignalClient Client { get; }

    IReadOnlyList<BenchProcess> Processes { get; }

    /// <summary>A figure that grows while trades are worked on; asking for it costs next to nothing.</summary>
    Task<long> ProgressAsync(CancellationToken cancellationToken);

    /// <summary>What is recorded since this was asked last.</summary>
    Task<IReadOnlyDictionary<string, TradeTimes>> ReadAsync(CancellationToken cancellationToken);
}
