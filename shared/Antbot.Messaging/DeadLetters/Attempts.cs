namespace Antbot.Messaging;

/// <summary>How often a message was tried is known where it is given up, and told where it is moved: MassTransit stands between the two.</summary>
internal static class Attempts
{
    private const string Key = "antbot-attempts";

    public static Exception Count(Exception fault, int attempts)
    {
        fault.Data[Key] = attempts;
        return fault;
    }

    /// <summary>Once, where nobody counted: it failed before anybody could try it again.</summary>
    public static int Of(Exception fault)
    {
        for (var e = fault; e is not null; e = e.InnerException)
        {
            if (e.Data[Key] is int attempts)
                return attempts;
        }
        return 1;
    }
}
