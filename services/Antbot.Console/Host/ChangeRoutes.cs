using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Incidents.Changes;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService;

/// <summary>What changed in a period: builds, settings, control, and what people had done.</summary>
internal sealed class ChangeRoutes(IEventStore store, IReadModels models, TimeProvider clock)
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGuarded<ChangeRoutes>(
        new ApiRoute("GET", "/api/changes", Role.Viewer, "Builds, settings, control and what people had done in a period, in one list, the oldest first; what could not be read is named.")
        {
            Query =
            [
                ("since", "a time such as 2026-01-02T03:04:05Z"), ("until", "a time; now where none is said"), ("limit", $"1 to {ChangeSelection.LimitMax} changes"), ("after", "what the page before says as Next"),
            ],
            Answer = typeof(ChangePage),
        },
        (r, c) => r.ListAsync(c));

    private Task ListAsync(HttpContext context) => TraceRoutes.WithinAsync(context, "antbot changes", async token =>
    {
        TraceRoutes.Check(context, "since", "until", "limit", "after");
        var asked = context.Request.Query;
        var selection = new ChangeSelection(
            TraceRoutes.TimeOf(asked, "since") ?? throw Api.Invalid("'since' is wanted: a time such as 2026-01-02T03:04:05Z."),
            TraceRoutes.TimeOf(asked, "until") ?? clock.GetUtcNow(),
            string.IsNullOrEmpty(asked["after"]) ? null : (string?)asked["after"],
            ReadRoutes.Limit(asked["limit"]));
        if (selection.Fault is { } fault)
            throw Api.Invalid(fault);
        await Api.AnswerAsync(context, await LogFor(context).ReadAsync(selection, token) ?? throw Api.Invalid(ChangeSelection.AfterFault));
    });

    /// <summary>As the list of tokens is, so is what is said of them.</summary>
    private ChangeLog LogFor(HttpContext context) => new(store, models, stream => stream != Streams.Access.Value || Caller.Of(context).Role >= Role.SuperAdmin);
}
