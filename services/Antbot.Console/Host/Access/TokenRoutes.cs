using System.Text.Json;
using Antbot.Contracts;
using Antbot.Runtime.Pipeline;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService.Access;

/// <param name="Days">So long it lives; without it until it is revoked.</param>
internal sealed record TokenBody(string Name, string Role, string Reason, int? Days = null);

internal sealed record RevokeBody(string Reason);

/// <param name="Token">Told this once and never again.</param>
internal sealed record TokenMade(string Name, Role Role, DateTimeOffset? ExpiresAt, string Token);

/// <param name="From">Record, or the Console's own file.</param>
internal sealed record TokenEntry(string Name, Role Role, DateTimeOffset? ExpiresAt, bool Expired, string By, string From);

internal sealed record TokenList(IReadOnlyList<TokenEntry> Tokens);

internal sealed record TokenRevoked(string Name, string Said);

/// <summary>Tokens for others: made, told once, listed without what they are, revoked.</summary>
internal sealed class TokenRoutes(PipelineParts parts, Bearer bearer, AccessBook book)
{
    private readonly StreamPipeline<AccessState> _pipeline = new(parts, AccessDecider.Behaviour);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGuarded<TokenRoutes>(
            new ApiRoute("GET", "/api/tokens", Role.SuperAdmin, "Every token that opens this API, without what it is.") { Answer = typeof(TokenList) }, (r, c) => r.ListAsync(c));
        routes.MapGuarded<TokenRoutes>(
            new ApiRoute("POST", "/api/tokens", Role.SuperAdmin, "Makes a token. It is told in the answer and never again.") { Body = typeof(TokenBody), Answer = typeof(TokenMade), Status = StatusCodes.Status201Created },
            (r, c) => r.MakeAsync(c));
        routes.MapGuarded<TokenRoutes>(
            new ApiRoute("POST", "/api/tokens/{name}/revoke", Role.SuperAdmin, "Whoever bears the token is let in no more.") { Body = typeof(RevokeBody), Answer = typeof(TokenRevoked) }, (r, c) => r.RevokeAsync(c));
    }

    private async Task ListAsync(HttpContext context)
    {
        var now = parts.Clock.GetUtcNow();
        var recorded = (await book.ReadAsync(anew: true, context.RequestAborted)).Tokens.Values.Select(t => new TokenEntry(t.Name, t.Role, t.ExpiresAt, t.HasExpired(now), t.By, "Record"));
        var own = bearer.Names.Select(n => new TokenEntry(n, Bearer.RoleOfFile, null, Expired: false, "", "File"));
        await Api.AnswerAsync(context, new TokenList([.. own.Concat(recorded).OrderBy(t => t.Name, StringComparer.Ordinal)]));
    }

    private async Task MakeAsync(HttpContext context)
    {
        var body = await Api.BodyAsync(context);
        var (name, reason, by) = (Api.Text(body, "Name"), Audit.Reason(body), Caller.Of(context).Name);
        if (AccessDecider.NameFault(name) is { } fault)
            throw Api.Invalid(fault);
        var token = AccessBook.NewToken();
        var expires = Days(body) is { } days ? parts.Clock.GetUtcNow().AddDays(days) : (DateTimeOffset?)null;
        var request = Audit.IdOf(context);
        var made = await DecideAsync<AccessTokenMade>(request, by, new MakeToken(request, name, RoleOf(body), AccessBook.HashOf(token), expires, reason, by, [.. bearer.Names]));
        if (made.Token != AccessBook.HashOf(token))
            throw new ApiException(StatusCodes.Status409Conflict, "Told", $"This request made the token '{made.Name}' before, and it was told then. Revoke it and make another.");
        await Api.AnswerAsync(context, new TokenMade(made.Name, made.Role, made.ExpiresAt, token), StatusCodes.Status201Created);
    }

    private async Task RevokeAsync(HttpContext context)
    {
        var name = (string?)context.GetRouteValue("name") ?? "";
        if (AccessDecider.NameFault(name) is { } fault)
            throw Api.Invalid(fault);
        var body = await Api.BodyAsync(context);
        var (request, by) = (Audit.IdOf(context), Caller.Of(context).Name);
        await DecideAsync<AccessTokenRevoked>(request, by, new RevokeToken(request, name, Audit.Reason(body), by));
        await book.ReadAsync(anew: true, CancellationToken.None);
        await Api.AnswerAsync(context, new TokenRevoked(name, "Revoked. Other Consoles let it in for a second more at most."));
    }

    private async Task<T> DecideAsync<T>(Guid request, string by, object order)
        where T : class
    {
        // From here on the word is carried through, whether or not whoever gave it still listens.
        var stored = await _pipeline.HandleAsync(Streams.Access, new Input(request, order, request.ToString("N"), $"operator:{by}"), CancellationToken.None);
        return parts.Codec.Decode(stored[^1]) switch
        {
            T done => done,
            AccessTokenRefused refused => throw new ApiException(StatusCodes.Status409Conflict, "Refused", string.Join("; ", refused.Verdicts.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}"))),
            _ => throw new ApiException(StatusCodes.Status409Conflict, "Other", "Another request has been made under the same Idempotency-Key."),
        };
    }

    private static Role RoleOf(JsonElement body) => Enum.TryParse<Role>(Api.Text(body, "Role"), ignoreCase: true, out var role) && Enum.IsDefined(role) && !char.IsAsciiDigit(Api.Text(body, "Role")[0])
        ? role
        : throw Api.Invalid($"'{Api.Text(body, "Role")}' is no role: {string.Join(", ", Enum.GetNames<Role>())} are.");

    private static int? Days(JsonElement body)
    {
        if (!body.TryGetProperty("Days", out var days) || days.ValueKind == JsonValueKind.Null)
            return null;
        return days.ValueKind == JsonValueKind.Number && days.TryGetInt32(out var number) && number is >= 1 and <= 366 ? number : throw Api.Invalid("'Days' is a whole number from 1 to 366.");
    }
}
