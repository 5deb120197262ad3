using Antbot.ConsoleService.Access;
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
        routes.MapGuarded<ReadRoutes>(new ApiRoute("GET", "/api/status", Role.Viewer, "Services, level, control, trades by phase, the day's result, exposure.") { Answer = typeof(StatusReport) }, (r, c) => r.StatusAsync(c));
        MapList<TradeView>(routes, ViewTable.Trades, typeof(TradePhase));
        routes.MapGuarded<ReadRoutes>(
            new ApiRoute("GET", "/api/trades/{id}", Role.Viewer, "The whole life of a trade, by its id, the beginning of one, or the client's id of one of its orders.") { Answer = typeof(TradeStory) }, (r, c) => r.TradeAsync(c));
        MapList<OrderView>(routes, ViewTable.Orders, typeof(OrderStatus));
        routes.MapGuarded<ReadRoutes>(
            new ApiRoute("GET", "/api/reconciliation/{account}", Role.Viewer, "Every difference between the venue and our record, its cause and what was done about it.")
            {
                Query = [("all", "true for the last thousand that were settled, and not fifty")],
                Answer = typeof(ReconciliationReport),
            }, (r, c) => r.ReconciliationAsync(c));
        MapList<PositionView>(routes, ViewTable.Positions, typeof(PositionState));
    }

    private static void MapList<T>(IEndpointRouteBuilder routes, ViewTable table, Type states) => routes.MapGuarded<ReadRoutes>(
        new ApiRoute("GET", $"/api/{table.ToString().ToLowerInvariant()}", Role.Viewer, $"A page of {table.ToString().ToLowerInvariant()}, the newest first.")
        {
            Query =
            [
                ("state", $"any of {string.Join(", ", Enum.GetNames(states))}, with commas between"), ("symbol", "such as BTCUSDT"), ("account", "such as main"), ("trade", "a trade's id"),
                ("limit", $"1 to {ViewQuery.LimitMax} rows"), ("after", "the id of the last row of the page before"),
            ],
            Answer = typeof(Page<T>),
        },
        (r, c) => r.ListAsync<T>(c, table, states));

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
        var whole = context.Request.Query["all"].ToString() switch
        {
            "" or "false" => false,
            "true" => true,
            _ => throw Api.Invalid("'all' is true or false."),
        };
        await Api.AnswerAsync(context, await Reconciliations.ReadAsync(store, new AccountId(account), whole, context.RequestAborted)
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

    public static string? Checked(string? text, Func<string, string?> fault) => string.IsNullOrEmpty(text) ? null : fault(text) is { } why ? throw Api.Invalid(why) : text;

    public static int Limit(string? text) => string.IsNullOrEmpty(text) ? 100
        : int.TryParse(text, out var limit) && limit is >= 1 and <= ViewQuery.LimitMax ? limit
        : throw Api.Invalid($"A page has 1 to {ViewQuery.LimitMax} rows.");
}
