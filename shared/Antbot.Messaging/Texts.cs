namespace Antbot.Messaging;

/// <summary>Texts that come from outside or from exceptions are as long as they like; headers and log lines are not.</summary>
internal static class Texts
{
    public const int Line = 500;

    public static string Cap(string? text, int length) => text is null ? "" : text.Length <= length ? text : $"{text[..length]}… ({text.Length:N0} characters)";
}
