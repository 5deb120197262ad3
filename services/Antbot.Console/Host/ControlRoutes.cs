using System.Globalization;
using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService;

/// <param name="NotAudited">Why the audit's record is missing, or null: the control stream has who and why in any case.</param>
internal sealed record ControlAnswer(ControlReport Control, long Version, string? NotAudited);

internal sealed record CloseAnswer(TradeId Trade, string Said);

internal sealed record ReasonBody(string Reason);

internal sealed record OrderBody(string Reason, string By);

internal sealed record ModeBody(string Mode, string Reason, string By);

internal sealed record MaintenanceBody(bool On, string Reason, string By);

/// <summary>What an operator can have done. The word goes straight into the store; nothing else has to work for it.</summary>
internal sealed class ControlRoutes(IEventStore store, EventCodec codec, TimeProvider clock, ReadModelQueries queries, IReadModels models, ReadRoutes trades, Audit audit)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        MapActivity(routes, "halt", Activity.Halted);
        MapActivity(routes, "resume", Activity.Active);
        MapActivity(routes, "reduce", Activity.Reducing);
        MapControl(routes, "mode", "Dry, or Live with real orders.", typeof(ModeBody), body => (new SetTradingMode(Mode(body), Audit.Reason(body), Audit.By(body)), Mode(body).ToString()));
        MapControl(routes, "maintenance", "Nothing new is begun while somebody works on it.", typeof(MaintenanceBody), body => (new SetMaintenance(On(body), Audit.Reason(body), Audit.By(body)), On(body) ? "On" : "Off"));
        routes.MapGuarded<ControlRoutes>(
            new ApiRoute("POST", "/api/trades/{id}/close", Role.Operator, "What a trade holds is sold.") { Body = typeof(OrderBody), Answer = typeof(CloseAnswer), Status = StatusCodes.Status202Accepted }, (r, c) => r.CloseAsync(c));
    }

    private static void MapActivity(IEndpointRouteBuilder routes, string command, Activity activity) =>
        MapControl(routes, command, $"Trading is {activity} from here on.", typeof(OrderBody), body => (new SetActivity(activity, Audit.Reason(body), Audit.By(body)), activity.ToString()));

    private static void MapControl(IEndpointRouteBuilder routes, string command, string summary, Type body, Func<JsonElement, (object Command, string Target)> read) =>
        routes.MapGuarded<ControlRoutes>(new ApiRoute("POST", $"/api/control/{command}", Role.Operator, summary) { Body = body, Answer = typeof(ControlAnswer) }, (r, c) => r.ControlAsync(c, command, read));

    private async Task ControlAsync(HttpContext context, string command, Func<JsonElement, (object Command, string Target)> read)
    {
        var body = await Api.BodyAsync(context);
        var (order, target) = read(body);
        var actor = Audit.ActorOf(context);
        // From here on the word is carried through, whether or not whoever gave it still listens.
        var recorded = await SendAsync(order, Audit.IdOf(context), actor);
        string? notAudited = null;
        try
        {
            await audit.RecordAsync(recorded.EventId, actor, new OperatorCommandRecorded(command, target, Audit.Reason(body), Audit.By(body), recorded.Version));
        }
        catch (EventStoreException e)
        {
            notAudited = e.Message;
        }
        await Api.AnswerAsync(context, new ControlAnswer(await queries.ControlAsync(context.RequestAborted), recorded.Version, notAudited));
    }

    /// <summary>A word that was given before and that others have followed is no longer in force, and that it is done would not be true. A halt is given again.</summary>
    private async Task<StoredEvent> SendAsync(object order, Guid id, string actor)
    {
        var sent = await ControlCommands.SendAsync(store, codec, order, id, actor, clock, CancellationToken.None);
        if (sent.IsNew)
            return sent.Event;
        audit.MustBeSame(sent.Event, ControlDecider.Decide(order)[^1]);
        var version = await store.ReadVersionAsync(Streams.Control, CancellationToken.None);
        if (version == sent.Event.Version)
            return sent.Event;
        return order is SetActivity { Activity: Activity.Halted }
            ? await SendAsync(order, DeterministicId.From("again", id.ToString("N"), version.ToString(CultureInfo.InvariantCulture)), actor)
            : throw new ApiException(StatusCodes.Status409Conflict, "Overtaken", $"This was recorded as version {sent.Event.Version} of control, and others have followed up to {version}: it is not done again under the same key.");
    }

    private async Task CloseAsync(HttpContext context)
    {
        var trade = await trades.ResolveAsync(context);
        var body = await Api.BodyAsync(context);
        var (reason, by) = (Audit.Reason(body), Audit.By(body));
        var view = (await models.FindAsync(ViewTable.Trades, trade.Value, context.RequestAborted))?.As<TradeView>() ?? throw ReadRoutes.NoSuchTrade(trade.Value);
        if (TradeView.IsOver(view.Phase))
            throw new ApiException(StatusCodes.Status409Conflict, "Over", $"Trade {trade} is {view.Phase} already; it holds nothing.");
        // What is published follows from the record: see OperatorCommandPublisher.
        await audit.RecordAsync(Audit.IdOf(context), Audit.ActorOf(context), new TradeCloseOrdered(trade, view.Account, reason, by), trade.Value);
        await Api.AnswerAsync(context, new CloseAnswer(trade, "Recorded; Execution is being told."), StatusCodes.Status202Accepted);
    }

    private static TradingMode Mode(JsonElement body) => Api.Text(body, "Mode") switch
    {
        nameof(TradingMode.Dry) => TradingMode.Dry,
        nameof(TradingMode.Live) => TradingMode.Live,
        var other => throw Api.Invalid($"'{other}' is no mode: Dry and Live are."),
    };

    private static bool On(JsonElement body) => body.TryGetProperty("On", out var on) && on.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? on.GetBoolean()
        : throw Api.Invalid("The body lacks 'On', true or false.");
}
