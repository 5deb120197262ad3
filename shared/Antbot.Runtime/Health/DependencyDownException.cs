namespace Antbot.Runtime.Health;

/// <summary>
/// What a piece of work needs is not there now: it is nobody's fault but the dependency's, and the same work is tried again later.
/// It never counts against a message.
/// </summary>
/// <param name="dependency">Small letters, a handful of them in all: <c>store</c>, <c>bus</c>, <c>venue</c>. It names a health check and a metric.</param>
public class DependencyDownException(string dependency, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Dependency { get; } = dependency;
}
