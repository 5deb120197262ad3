namespace Antbot.Hosting;

/// <param name="Service">The module's name where there is one module, else the program's.</param>
public sealed record ServiceIdentity(string Service, string Instance)
{
    /// <summary>This very run of it: all that it records names it.</summary>
    public Guid Process { get; } = Guid.NewGuid();
}
