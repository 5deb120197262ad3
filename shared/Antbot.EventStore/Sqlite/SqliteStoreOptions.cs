namespace Antbot.EventStore.Sqlite;

public sealed record SqliteStoreOptions
{
    /// <summary>The database file. SQLite keeps <c>-wal</c> and <c>-shm</c> beside it: the three belong together.</summary>
    public required string Path { get; init; }

    /// <summary>Nothing is written, not even a copy of a damaged file. For a medium that takes no writes, or beside a running platform.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Makes the file and its folder where they are missing.</summary>
    public bool Create { get; init; } = true;

    /// <summary>How long another process may hold the write lock before an append is told that the store is unavailable.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many reads run at once; more wait their turn.</summary>
    public int Readers { get; init; } = 4;

    /// <summary>How long a read waits for its turn before it is told that the store is busy.</summary>
    public TimeSpan ReadWaitMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an append waits for the disk before its caller is told that the outcome is unknown, or that nothing was done.</summary>
    public TimeSpan AnswerMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often somebody who waits for events looks for those of other processes.</summary>
    public TimeSpan OthersPoll { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// How long the write-ahead log may become. A longer one lets a page that changes often be moved into the database once instead of
    /// many times; it takes room on the disk, and a start after a crash reads it.
    /// </summary>
    public long LogBytesMax { get; init; } = 128 * 1024 * 1024;

    /// <summary>Reads the whole file once at open and looks for damage.</summary>
    public bool CheckAtOpen { get; init; } = true;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
