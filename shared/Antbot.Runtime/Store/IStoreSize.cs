namespace Antbot.Runtime.Store;

/// <summary>How large a store is on its disk.</summary>
public interface IStoreSize
{
    Task<StoreSize> ReadAsync(CancellationToken cancellationToken = default);
}

/// <param name="Bytes">Events, indices and everything derived.</param>
/// <param name="FreeBytes">What its disk has left; null where that cannot be seen from here.</param>
public sealed record StoreSize(long Bytes, long? FreeBytes);
