namespace Antbot.EventStore.Postgres;

public sealed record PostgresStoreOptions
{
    public required string ConnectionString { get; init; }

    /// <summary>Connections in all: those that write, one that seals and imports, one that listens, the rest for reading.</summary>
    public int PoolSize { get; init; } = 10;

    /// <summary>Batches on their way at once: the next one is in the server when the last one commits.</summary>
    public int Committers { get; init; } = 2;

    /// <summary>No statement that writes may hold up the others for longer, whatever its client does.</summary>
    public TimeSpan WriteLimit { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>How long an append whose connection broke is looked for before its caller is told that the outcome is unknown.</summary>
    public TimeSpan ResolveLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>No caller waits longer for the answer to an append. The engine has its own before that, whatever the link does.</summary>
    public TimeSpan AnswerMax { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A reading connection that lay idle for longer is pinged before it is used.</summary>
    public TimeSpan PingAfterIdle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Appends through the procedure that the control-only role may call.</summary>
    public bool ControlOnly { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
