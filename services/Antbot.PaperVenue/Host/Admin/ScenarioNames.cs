using System.Text.Json;

namespace Antbot.PaperVenue.Admin;

/// <summary>Scenarios by the names that operators know them by.</summary>
internal static class ScenarioNames
{
    public static string All => string.Join(", ", Enum.GetValues<Scenario>().Select(Hyphened));

    public static Scenario? Find(string name)
    {
        foreach (var scenario in Enum.GetValues<Scenario>())
        {
            if (Hyphened(scenario) == name)
                return scenario;
        }
        return null;
    }

    public static string Hyphened(Scenario scenario) => JsonNamingPolicy.KebabCaseLower.ConvertName(scenario.ToString());
}
