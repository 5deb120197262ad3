namespace Antbot.Watchdog;

/// <summary>What a platform consists of, in the order it is started.</summary>
/// <param name="Project">Under <c>services/</c>.</param>
public sealed record ServiceProgram(string Name, string Project, bool Scalable)
{
    public const string Venue = "venue";

    public static IReadOnlyList<ServiceProgram> All { get; } =
    [
        new(Venue, "Antbot.PaperVenue", Scalable: false),
        new("coordinator", "Antbot.Coordinator", Scalable: true),
        new("validation", "Antbot.Validation", Scalable: true),
        new("risk", "Antbot.Risk", Scalable: true),
        new("execution", "Antbot.Execution", Scalable: true),
        new("reconciliation", "Antbot.Reconciliation", Scalable: true),
        new("signal", "Antbot.Signal", Scalable: true),
        new("console", "Antbot.Console", Scalable: true),
    ];

    /// <summary>Beside this program when published; in its own build folder within the repository.</summary>
    public string FindProgram()
    {
        var here = AppContext.BaseDirectory;
        var file = $"{Project}.dll";
        if (File.Exists(Path.Combine(here, file)))
            return Path.Combine(here, file);
        // …/services/Antbot.Watchdog/Host/bin/Release/net10.0/ → …/services/<project>/Host/bin/Release/net10.0/
        var marker = Path.Combine("Antbot.Watchdog", "Host");
        var at = here.LastIndexOf(marker, StringComparison.Ordinal);
        var built = at < 0 ? "" : Path.Combine(here[..at], Project, "Host" + here[(at + marker.Length)..], file);
        return File.Exists(built) ? built : throw new FileNotFoundException($"{file} is not there. Build everything first: make build.");
    }
}
