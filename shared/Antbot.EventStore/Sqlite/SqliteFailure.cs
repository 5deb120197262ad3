namespace Antbot.EventStore.Sqlite;

/// <summary>What SQLite answered, before it is known what that means to a caller.</summary>
internal sealed class SqliteFailure(int code, int systemError, string message) : Exception(message)
{
    /// <summary>The extended code.</summary>
    public int Code { get; } = code;

    public int Primary => Code & 0xFF;

    public int SystemError { get; } = systemError;
}
