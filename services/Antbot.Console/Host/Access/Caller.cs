using Microsoft.AspNetCore.Http;

namespace Antbot.ConsoleService.Access;

/// <summary>Who asks, by the token that was borne.</summary>
internal sealed record Caller(string Name, Role Role)
{
    /// <summary>Of a request that was let in.</summary>
    public static Caller Of(HttpContext context) => (Caller)context.Items[typeof(Caller)]!;

    public void Enter(HttpContext context) => context.Items[typeof(Caller)] = this;
}
