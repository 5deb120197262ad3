using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.ReadModels;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>What would come of dead letters, before anybody has them sent.</summary>
internal sealed class ForesightRoutes(LetterForesight foresight, DeadLetterRoutes letters, DeadLetterBook book, ReplaysBook selections)
{
    private const string Lines = "application/x-ndjson";
    private const int AtOnce = 2;

    private static readonly byte[] EndOfLine = "\n"u8.ToArray();

    private readonly SemaphoreSlim _underWay = new(AtOnce, AtOnce);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGuarded<ForesightRoutes>(
            new ApiRoute("GET", "/api/deadletters/foresight", Role.Viewer, "What would come of all that are new and like that if they were sent once more now: a line a letter, and the sum last. Nothing is recorded or sent.")
            {
                Query =
                [
                    ("endpoint", "where they were going"), ("type", "the kind of message"), ("fingerprint", "of one cause alone"), ("trade", "a trade's id"), ("all", "true where nothing narrows it"),
                    ("limit", "the newest of them, so many"),
                ],
                Answer = typeof(ForesightLine), ContentType = Lines,
            },
            (r, c) => r.OfQueryAsync(c));
        routes.MapGuarded<ForesightRoutes>(
            new ApiRoute("GET", "/api/deadletters/{id}/foresight", Role.Viewer, "What would come of one dead letter if it were sent once more now.") { Answer = typeof(ForesightLine), ContentType = Lines }, (r, c) => r.OfOneAsync(c));
        routes.MapGuarded<ForesightRoutes>(
            new ApiRoute("GET", "/api/replays/{id}/foresight", Role.Viewer, "What would come of those of a selection that have not had their turn, for whoever is to approve it.") { Answer = typeof(ForesightLine), ContentType = Lines },
            (r, c) => r.OfSelectionAsync(c));
    }

    private async Task OfQueryAsync(HttpContext context)
    {
        DeadLetterRoutes.Known(context, ["endpoint", "type", "fingerprint", "trade", "all", "limit"]);
        var asked = context.Request.Query;
        string? Said(string name) => asked.ContainsKey(name) ? asked[name].ToString() : null;
        var all = Said("all") switch
        {
            null => false,
            "true" => true,
            _ => throw Api.Invalid("'all' is true, or is left out."),
        };
        var query = ReplaysRoutes.QueryOf(
            Said("endpoint"), Said("type"), Said("fingerprint"), Said("trade"), all,
            Said("limit") is not { } limit ? null : int.TryParse(limit, out var number) && number is >= 1 and <= ReplaysDecider.LettersMax ? number : throw Api.Invalid($"'limit' is a number from 1 to {ReplaysDecider.LettersMax}."));
        await AnswerAsync(context, await selections.SelectAsync(query, context.RequestAborted));
    }

    private async Task OfOneAsync(HttpContext context)
    {
        var letter = await letters.ResolveAsync(context);
        if (await book.OpenAsync(letter, context.RequestAborted) is null)
            throw DeadLetterRoutes.NoSuchLetter(letter.ToString("N"));
        await AnswerAsync(context, [new SelectedLetter(letter, null)]);
    }

    private async Task OfSelectionAsync(HttpContext context)
    {
        var selection = ReplaysRoutes.SelectionOf(context);
        if (await selections.FindAsync(selection, context.RequestAborted) is null)
            throw ReplaysRoutes.NoSuchSelection(selection);
        await AnswerAsync(context, (await selections.StateOfAsync(selection, context.RequestAborted)).Left);
    }

    /// <summary>As they are found out, so that whoever asked sees how far it is, and may have heard enough.</summary>
    private async Task AnswerAsync(HttpContext context, IReadOnlyList<SelectedLetter> selected)
    {
        if (!await _underWay.WaitAsync(TimeSpan.Zero))
            throw new ApiException(StatusCodes.Status429TooManyRequests, "TooMany", $"{AtOnce} are being worked out already; ask again later.");
        try
        {
            await foreach (var line in foresight.ForeseeAsync(selected, context.RequestAborted))
            {
                // What goes wrong before anything was told is told as everywhere.
                if (!context.Response.HasStarted)
                    context.Response.ContentType = Lines;
                await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, ReadModelJson.Options), context.RequestAborted);
                await context.Response.Body.WriteAsync(EndOfLine, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        finally
        {
            _underWay.Release();
        }
    }
}
