namespace Antbot.Runtime.Health;

/// <summary>
/// Asks whether a dependency works. Endpoints take messages only when every probe of the process passes, so only what all of its
/// work needs belongs here.
/// </summary>
public interface IDependencyProbe
{
    /// <summary>The same name as in <see cref="DependencyDownException.Dependency"/>.</summary>
    string Name { get; }

    /// <summary>Returns when it works for reading and writing; throws why it does not. It must answer within seconds.</summary>
    Task CheckAsync(CancellationToken cancellationToken);
}
