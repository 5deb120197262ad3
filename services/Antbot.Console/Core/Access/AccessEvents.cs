using System.Text.Json.Serialization;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.ConsoleService.Access;

/// <summary>What a token opens; each opens what those before it do.</summary>
public enum Role
{
    /// <summary>Sees everything and changes nothing.</summary>
    Viewer = 1,

    /// <summary>Has things done: halts, closes, settles.</summary>
    Operator = 2,

    /// <summary>Makes and revokes others' tokens.</summary>
    SuperAdmin = 3,
}

// What is recorded in `access`: who may do what, and who said so. Of a token only its hash.

/// <param name="Token">A hash of the token, in hexadecimal digits: 256 random bits are not found again from it.</param>
[StoredName("access_token_made")]
public sealed record AccessTokenMade(Guid Request, string Name, Role Role, string Token, DateTimeOffset? ExpiresAt, string Reason, string By);

[StoredName("access_token_revoked")]
public sealed record AccessTokenRevoked(Guid Request, string Name, string Token, string Reason, string By);

/// <param name="Asked">What was asked for, where a token was to be made; null too in what was refused before it was kept.</param>
/// <param name="Reason">Why one was to be revoked; null where one was to be made, and in what was refused before it was kept.</param>
[StoredName("access_token_refused")]
public sealed record AccessTokenRefused(
    Guid Request, string Name, string By, IReadOnlyList<Verdict> Verdicts,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] MakeToken? Asked = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null);
