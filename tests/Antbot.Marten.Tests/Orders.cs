using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Marten;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;
using JasperFx;
using JasperFx.Events;
using Marten;
using Marten.Events.Aggregation;

namespace Antbot.MartenTests;

public enum Side
{
    Buy = 1,
    Sell = 2,
}

/// <summary>The stored names differ from what Marten would call the classes, as after a rename.</summary>
[StoredName("order_opened_v2")]
public sealed record OrderOpened(string Symbol, decimal Quantity, Side Side);

[StoredName("order_part_filled")]
public sealed record OrderFilled(decimal Quantity, decimal Price);

/// <summary>What Marten folds an order's events into.</summary>
public sealed class OrderView
{
    public string Id { get; set; } = "";
    public string Symbol { get; set; } = "";
    public Side Side { get; set; }
    public decimal Ordered { get; set; }
    public decimal Filled { get; set; }
    public int Fills { get; set; }
}

/// <summary>The fold in so many words, so that no source generator has to find it.</summary>
public sealed class OrderProjection : SingleStreamProjection<OrderView, string>
{
    public override OrderView? Evolve(OrderView? snapshot, string id, IEvent e)
    {
        var view = snapshot ?? new OrderView { Id = id };
        switch (e.Data)
        {
            case OrderOpened opened:
                (view.Symbol, view.Side, view.Ordered) = (opened.Symbol, opened.Side, opened.Quantity);
                break;
            case OrderFilled filled:
                view.Filled += filled.Quantity;
                view.Fills++;
                break;
        }
        return view;
    }
}

internal static class Orders
{
    public static readonly EventRegistry Registry = new EventRegistry().Add(typeof(OrderOpened), typeof(OrderFilled));

    private static readonly EventCodec Codec = new(Registry);

    /// <summary>Somebody else's Marten on the same database: it makes what it misses and knows nothing of the ledger.</summary>
    public static DocumentStore OpenStranger(string connectionString, Action<StoreOptions>? more = null) => MartenLayout.Open(
        connectionString,
        AutoCreate.CreateOrUpdate,
        options =>
        {
            MartenLayout.Map(options, Registry);
            more?.Invoke(options);
        });

    public static AppendRequest Append(StreamId stream, params object[] events) =>
        Some.Append(stream, [.. events.Select(Codec.Encode)]);

    public static AppendRequest Opened(StreamId stream) =>
        Append(stream, new OrderOpened("BTCUSDT", 1.50m, Side.Sell), new OrderFilled(0.25m, 60000.10m), new OrderFilled(0.0000001m, 60000.2m));
}
