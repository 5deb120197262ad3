using Antbot.ConsoleService.Access;

namespace Antbot.ConsoleService;

/// <summary>A route of the API, with what its description tells: there is no way to add one without saying who may use it.</summary>
internal sealed record ApiRoute(string Method, string Pattern, Role Role, string Summary)
{
    /// <summary>What may stand behind the question mark, and what it means.</summary>
    public IReadOnlyList<(string Name, string What)> Query { get; init; } = [];

    /// <summary>What a request says; its members without a default are needed.</summary>
    public Type? Body { get; init; }

    public Type? Answer { get; init; }

    public int Status { get; init; } = 200;

    public string ContentType { get; init; } = "application/json";
}
