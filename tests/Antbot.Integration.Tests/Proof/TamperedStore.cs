using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Integration.Tests.Proof;

/// <summary>A store whose tables a test can reach behind the engine's back, and put back as they were.</summary>
public interface ITamperedStore : IAsyncDisposable
{
    ILedger Ledger { get; }

    string Events { get; }

    string LedgerTable { get; }

    string Streams { get; }

    string Checkpoints { get; }

    string Identity { get; }

    string NewUuid { get; }

    /// <summary>A blob of this hexadecimal text, as a literal.</summary>
    string Blob(string hex);

    Task ExecuteAsync(IEnumerable<string> statements);

    Task RestoreAsync();
}

/// <param name="What">For the message of a failing test.</param>
/// <param name="IsLocated">Whether a report names the place.</param>
public sealed record Mutation(string What, IReadOnlyList<string> Statements, Func<VerifyReport, bool> IsLocated);

/// <summary>The rows as they are before any mutation: what the mutations pick from.</summary>
public sealed record Row(long Position, long Sequence, Guid EventId, string Stream, long Version, bool Foreign, LedgerLink Link);
