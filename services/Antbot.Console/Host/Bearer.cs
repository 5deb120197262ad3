using Antbot.ConsoleService.Access;
using Antbot.Hosting;
using Microsoft.AspNetCore.Http;

namespace Antbot.ConsoleService;

/// <summary>
/// The tokens of the Console's own file: whoever may write that file may do everything, and is let in while the store is down. All others
/// are in the record (<see cref="AccessBook"/>).
/// </summary>
internal sealed class Bearer(ConsoleOptions options)
{
    public const Role RoleOfFile = Role.SuperAdmin;

    private const string Scheme = "Bearer ";

    private readonly ApiKeys _tokens = ApiKeys.Load(options.ReadToken(), file: null, out _);

    public IEnumerable<string> Names => _tokens.Names;

    /// <summary>What a request bears in the one header that is looked at; a key to something else that it bears besides says nothing here.</summary>
    public static string? TokenOf(HttpRequest request) =>
        request.Headers.Authorization is [{ } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;

    /// <summary>Null where it is none of the file's.</summary>
    public Caller? Find(string token) => _tokens.NameOf(token) is { } name ? new Caller(name, RoleOfFile) : null;
}
