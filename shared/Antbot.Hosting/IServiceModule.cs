using Microsoft.AspNetCore.Routing;

namespace Antbot.Hosting;

/// <summary>
/// One service, free of the process it runs in: <c>Program.cs</c> hosts one, Standalone hosts them all over one store and one bus.
/// </summary>
public interface IServiceModule
{
    /// <summary>Small letters: <c>risk</c>. Names its endpoint, its actor in events, its leases and its metrics.</summary>
    string Name { get; }

    /// <summary>Options, handlers, background work. Called once, before anything runs.</summary>
    void Configure(ModuleBuilder builder);

    /// <summary>Its HTTP routes, where it has any besides health.</summary>
    void Map(IEndpointRouteBuilder routes)
    {
    }
}
