using System.Net.Sockets;
using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>What PostgreSQL's errors mean to someone who appends or reads.</summary>
internal static class PostgresFaults
{
    private const string IdleInTransactionTimeout = "25P03";

    /// <summary>The server gave the batch back undone; the same batch may go through now.</summary>
    public static bool IsUndoneAndWorthRepeating(Exception e) => e is OvertakenException or PostgresException
    {
        SqlState: PostgresErrorCodes.LockNotAvailable
            or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.SerializationFailure
            or PostgresErrorCodes.UniqueViolation, // a stranger took the version, after our check and before our insert
    };

    /// <summary>The server may have committed before it said this, or says it because it goes away or comes up.</summary>
    public static bool LeavesDoubt(PostgresException e) => e.SqlState is
        PostgresErrorCodes.QueryCanceled
        or PostgresErrorCodes.AdminShutdown
        or PostgresErrorCodes.CrashShutdown
        or PostgresErrorCodes.CannotConnectNow
        or IdleInTransactionTimeout
        || e.SqlState.StartsWith("08", StringComparison.Ordinal)
        || e.SqlState.StartsWith("XX", StringComparison.Ordinal);

    /// <summary>It may be one append's own fault (its content, or a stream its role may not write): its neighbours must not suffer for it.</summary>
    public static bool MayBeOfOneAppend(PostgresException e) => IsOfContent(e) || e.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UniqueViolation;

    public static EventStoreException Translate(Exception e, string doing)
    {
        switch (e)
        {
            case EventStoreException known:
                return known;
            case PostgresException pg:
                return Translate(pg, doing);
            case NpgsqlException or SocketException or IOException or TimeoutException:
                return new EventStoreException(StoreFault.Unavailable, $"PostgreSQL cannot be reached while {doing}: {Reason(e)} Check that it runs and that the address is right; the store goes on by itself when it is back.", e);
            case ObjectDisposedException:
                return new EventStoreException(StoreFault.Closed, $"The store was closed while {doing}.", e);
            default:
                return new EventStoreException(StoreFault.Unavailable, $"PostgreSQL failed while {doing}: {Reason(e)}", e);
        }
    }

    private static EventStoreException Translate(PostgresException e, string doing)
    {
        var (fault, advice) = e.SqlState switch
        {
            PostgresErrorCodes.ReadOnlySqlTransaction => (StoreFault.ReadOnly, "The database takes no writes (a standby, or read-only by setting)."),
            PostgresErrorCodes.UniqueViolation => (StoreFault.Corrupt, "The stream's head and its events do not agree; run 'antbot verify'."),
            PostgresErrorCodes.DiskFull or PostgresErrorCodes.ConfigurationLimitExceeded =>
                (StoreFault.Full, "The server has run out of room; make some and the store goes on by itself."),
            PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
                (StoreFault.Forbidden, "The role of this connection may not do that."),
            PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => (StoreFault.Damaged, "The server found damaged data; keep a copy of its files before anything else."),
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedColumn =>
                (StoreFault.Unavailable, "The store's schema is not there or is older than this build; let its owner create it."),
            _ when IsOfContent(e) => (StoreFault.Invalid, "The server does not take this content."),
            _ => (StoreFault.Unavailable, "The store goes on by itself when the cause is gone."),
        };
        return new EventStoreException(fault, $"PostgreSQL refused while {doing}: {e.MessageText} ({e.SqlState}). {advice}", e);
    }

    private static bool IsOfContent(PostgresException e) =>
        e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState == PostgresErrorCodes.ProgramLimitExceeded;

    /// <summary>Npgsql's outer message says "see inner"; the inner one says what happened.</summary>
    private static string Reason(Exception e)
    {
        while (e.InnerException is { } inner && e is NpgsqlException)
            e = inner;
        return e.Message.TrimEnd('.') + ".";
    }
}
