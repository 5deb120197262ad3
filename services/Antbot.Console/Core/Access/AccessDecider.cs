using System.Collections.Immutable;
using System.Globalization;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;

namespace Antbot.ConsoleService.Access;

/// <param name="Token">Its hash.</param>
public sealed record AccessToken(string Name, Role Role, string Token, DateTimeOffset? ExpiresAt, string By)
{
    public bool HasExpired(DateTimeOffset now) => ExpiresAt <= now;
}

/// <param name="Tokens">Those that were made and not revoked, by name.</param>
public sealed record AccessState(ImmutableSortedDictionary<string, AccessToken> Tokens)
{
    public static AccessState Initial { get; } = new(ImmutableSortedDictionary<string, AccessToken>.Empty.WithComparers(StringComparer.Ordinal));
}

/// <param name="Reserved">Names that tokens have which are no business of the record's: those of the Console's own file.</param>
public sealed record MakeToken(Guid Request, string Name, Role Role, string Token, DateTimeOffset? ExpiresAt, string Reason, string By, IReadOnlyList<string> Reserved);

public sealed record RevokeToken(Guid Request, string Name, string Reason, string By);

/// <summary>Who may be let in. A token is known by a name that no other has at the time, so that what is recorded under it is one person's or program's.</summary>
public static class AccessDecider
{
    public const int TokensMax = 500;
    public const int NameLengthMax = 40;

    public static readonly TimeSpan LifeMax = TimeSpan.FromDays(366);

    public static Behaviour<AccessState> Behaviour { get; } = new("access", new Fold<AccessState>("access-1", AccessState.Initial, Apply), Decide, _ => []);

    /// <summary>Why nothing can be called that, or null.</summary>
    public static string? NameFault(string name) => name.Length is >= 1 and <= NameLengthMax && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
        ? null
        : $"A token's name has 1 to {NameLengthMax} letters, digits, hyphens and underscores.";

    /// <summary>What was decided on, from what was recorded of it; null where it was not kept whole.</summary>
    /// <param name="decided">All events of one decision.</param>
    public static object? InputOf(IReadOnlyList<object> decided) => decided switch
    {
        // A name of the Console's own file would have been refused.
        [AccessTokenMade e] => new MakeToken(e.Request, e.Name, e.Role, e.Token, e.ExpiresAt, e.Reason, e.By, []),
        [AccessTokenRevoked e] => new RevokeToken(e.Request, e.Name, e.Reason, e.By),
        [AccessTokenRefused { Asked: { } asked }] => asked,
        [AccessTokenRefused { Reason: { } reason } e] => new RevokeToken(e.Request, e.Name, reason, e.By),
        _ => null,
    };

    private static AccessState Apply(AccessState state, object @event) => @event switch
    {
        AccessTokenMade e => new(state.Tokens.SetItem(e.Name, new AccessToken(e.Name, e.Role, e.Token, e.ExpiresAt, e.By))),
        AccessTokenRevoked e => new(state.Tokens.Remove(e.Name)),
        _ => state,
    };

    private static IReadOnlyList<object> Decide(AccessState state, object input, DateTimeOffset now) => input switch
    {
        MakeToken m => Judged(
            Make(state, m, now), new AccessTokenMade(m.Request, m.Name, m.Role, m.Token, m.ExpiresAt, m.Reason, m.By), verdicts => new AccessTokenRefused(m.Request, m.Name, m.By, verdicts, Asked: m)),
        RevokeToken r => Judged(
            [new Verdict("known", state.Tokens.ContainsKey(r.Name), state.Tokens.ContainsKey(r.Name) ? "it was made and not revoked" : "there is no such token, or the Console's own file has it")],
            new AccessTokenRevoked(r.Request, r.Name, state.Tokens.GetValueOrDefault(r.Name)?.Token ?? "", r.Reason, r.By),
            verdicts => new AccessTokenRefused(r.Request, r.Name, r.By, verdicts, Reason: r.Reason)),
        _ => throw new ArgumentException($"{input.GetType().Name} is nothing that access decides on.", nameof(input)),
    };

    private static IReadOnlyList<Verdict> Make(AccessState state, MakeToken make, DateTimeOffset now)
    {
        var sameName = state.Tokens.GetValueOrDefault(make.Name);
        var isFree = sameName?.HasExpired(now) != false && !make.Reserved.Contains(make.Name, StringComparer.Ordinal);
        var lives = make.ExpiresAt is null || (make.ExpiresAt > now && make.ExpiresAt <= now + LifeMax);
        return
        [
            new Verdict("name-is-free", isFree, isFree ? "nobody else has it" : "another token has it: revoke that one first, or take another name"),
            new Verdict("life", lives, make.ExpiresAt is { } until ? string.Create(CultureInfo.InvariantCulture, $"until {until:u}, at most {LifeMax.TotalDays:0} days from now") : "until it is revoked"),
            new Verdict("number", state.Tokens.Count < TokensMax, $"{state.Tokens.Count} of {TokensMax} are there"),
        ];
    }

    private static IReadOnlyList<object> Judged(IReadOnlyList<Verdict> verdicts, object done, Func<IReadOnlyList<Verdict>, AccessTokenRefused> refused) =>
        verdicts.All(v => v.Passed) ? [done] : [refused(verdicts)];
}
