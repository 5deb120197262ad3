using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService;

/// <summary>What an operator can see.</summary>
internal sealed class ReadRoutes(ReadModelQueries queries, ViewProjection projection, ServiceHealth health, IEventStore store)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGuarded<ReadRoutes>("GET", "/api/status", (r, c) => r.StatusAsync(c));
        routes.MapGuarded<ReadRoutes>("GET", "/api/trades", (r, c) => r.ListAsync<TradeView>(c, ViewTable.Trades, typeof(TradePhase)));
        routes.MapGuarded<ReadRoutes>("GET", "/api/trades/{id}", (r, c) => r.TradeAsync(c));
        routes.MapGuarded<ReadRoutes>("GET", "/api/orders", (r, c) => r.ListAsync<OrderView>(c, ViewTable.Orders, typeof(OrderStatus)));
        routes.MapGuarded<ReadRoutes>("GET", "/api/reconciliation/{account}", (r, c) => r.ReconciliationAsync(c));
        routes.MapGuarded<ReadRoutes>("GET", "/api/positions", (r, c) => r.ListAsync<PositionView>(c, ViewTable.Positions, typeof(PositionState)));
    }

    /// <summary>The trade that is meant by an id or the beginning of one.</summary>
    public async Task<TradeId> ResolveAsync(HttpContext context)
    {
        var given = (string?)context.GetRouteValue("id") ?? "";
        if (ReadModelQueries.FaultOfReference(given) is { } fault)
            throw Api.Invalid(fault);
        var found = await queries.ResolveAsync(given, context.RequestAborted);
        return found.Count switch
        {
            1 => found[0],
            0 => throw NoSuchTrade(given),
            _ => throw new ApiException(StatusCodes.Status409Conflict, "NotUnique", $"More than one trade begins with {given}; give more digits."),
        };
    }

    public static ApiException NoSuchTrade(string id) => new(StatusCodes.Status404NotFound, "NotFound", $"There is no trade {id}.");

    private async Task StatusAsync(HttpContext context)
    {
        var status = await queries.StatusAsync(projection.Trouble?.Message, context.RequestAborted);
        var (services, level) = await health.AskAsync(status.Services, context.RequestAborted);
        await Api.AnswerAsync(context, status with { Services = services, Degradation = level.ToString() });
    }

    private async Task TradeAsync(HttpContext context)
    {
        var id = await ResolveAsync(context);
        await Api.AnswerAsync(context, await queries.StoryAsync(id, context.RequestAborted) ?? throw NoSuchTrade(id.Value));
    }

    private async Task ReconciliationAsync(HttpContext context)
    {
        var account = Checked((string?)context.GetRouteValue("account"), t => AccountId.Fault(t)) ?? throw Api.Invalid("An account is wanted.");
        await Api.AnswerAsync(context, await Reconciliations.ReadAsync(store, new AccountId(account), context.RequestAborted)
            ?? throw new ApiException(StatusCodes.Status404NotFound, "NotFound", $"Nothing was ever recorded of the account {account}."));
    }

    private async Task ListAsync<T>(HttpContext context, ViewTable table, Type states)
    {
        var asked = context.Request.Query;
        if (asked.Keys.FirstOrDefault(k => k is not ("state" or "symbol" or "account" or "trade" or "limit" or "after")) is { } unknown)
            throw Api.Invalid($"'{unknown}' is not known here: state, symbol, account, trade, limit and after are.");
        var query = new ViewQuery(
            States(asked["state"], states),
            Checked(asked["symbol"], t => Symbol.Fault(t)),
            Checked(asked["account"], t => AccountId.Fault(t)),
            Checked(asked["trade"], t => TradeId.Fault(t)),
            After: Checked(asked["after"], t => ClientOrderId.Fault(t)),
            Limit: Limit(asked["limit"]));
        await Api.AnswerAsync(context, await queries.ListAsync<T>(table, query, context.RequestAborted));
    }

    private static string[] States(string? text, Type states) => string.IsNullOrEmpty(text)
        ? []
        : [.. text.Split(',').Select(s => Enum.TryParse(states, s, ignoreCase: true, out var state) && Enum.IsDefined(states, state) && !char.IsAsciiDigit(s[0])
            ? state.ToString()!
            : throw Api.Invalid($"'{s}' is no state: {string.Join(", ", Enum.GetNames(states))} are."))];

    private static string? Checked(string? text, Func<string, string?> fault) => string.IsNullOrEmpty(text) ? null : fault(text) is { } why ? throw Api.Invalid(why) : text;

    private static int Limit(string? text) => string.IsNullOrEmpty(text) ? 100
        : int.TryParse(text, out var limit) && limit is >= 1 and <= ViewQuery.LimitMax ? limit
        : throw Api.Invalid($"A page has 1 to {ViewQuery.LimitMax} rows.");
}
