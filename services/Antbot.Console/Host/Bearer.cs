using Antbot.Hosting;
using Microsoft.AspNetCore.Http;

namespace Antbot.ConsoleService;

/// <summary>Lets in who bears the operators' token, or one of those that the operators have of their own: then it knows who it is.</summary>
internal sealed class Bearer(ConsoleOptions options)
{
    private const string Scheme = "Bearer ";

    private readonly ApiKeys _tokens = ApiKeys.Load(options.ReadToken(), file: null, out _);

    /// <summary>Whether operators have tokens of their own, by which they can be told apart.</summary>
    public bool KnowsOperators => _tokens.Names.Count() > 1;

    /// <summary>Null where the request bears none of them. A key to something else that it bears besides says nothing here.</summary>
    public string? OperatorOf(HttpRequest request) => request.Headers.Authorization is [{ } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        ? _tokens.NameOf(header[Scheme.Length..].Trim())
        : null;

    public bool Admits(HttpRequest request) => OperatorOf(request) is not null;
}
