using System.Text.Json;
using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>Names and amounts as the admin routes spell them.</summary>
internal static class Words
{
    public static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    public static T Named<T>(string name, string parameter)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (Name(value) == name)
                return value;
        }
        throw new ApiException(-1102, $"'{parameter}' is one of {string.Join(", ", Enum.GetValues<T>().Select(Name))}.");
    }

    public static Fixed8 Amount(string text) =>
        Fixed8.TryParse(text, out var value) == NumberFault.None ? value : throw new ApiException(-1100, "An amount is a text of digits with at most 8 decimals.");
}
