namespace Antbot.Runtime.Pipeline;

/// <summary>Named places at which a test or the simulator ends the process. In production nothing is armed and nothing happens.</summary>
public interface ICrashPoints
{
    /// <param name="point"><c>consumer.place</c>, such as <c>risk.after-append</c>.</param>
    void Reach(string point);
}

public sealed class NoCrashPoints : ICrashPoints
{
    public static NoCrashPoints Instance { get; } = new();

    public void Reach(string point)
    {
    }
}
