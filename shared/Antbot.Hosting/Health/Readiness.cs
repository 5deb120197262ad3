using Antbot.Hosting.Health;

namespace Antbot.Hosting;

/// <param name="Why">What the others wait for, by its names; null where all are ready.</param>
public sealed record ServicesReady(int Ready, int All, string? Why);

/// <summary>Which of the services in this process could take work now.</summary>
public sealed class Readiness
{
    private readonly HealthReport _report;

    internal Readiness(HealthReport report) => _report = report;

    /// <summary>An endpoint that is down stops its own service; anything else that is needed stops all of them.</summary>
    public ServicesReady Of(IReadOnlyCollection<string> services)
    {
        var missing = _report.NotReady();
        if (missing.Count == 0)
            return new ServicesReady(services.Count, services.Count, null);
        var endpoints = services.Count(s => missing.Any(r => r.Name == HealthReport.EndpointPrefix + s));
        var others = missing.Any(r => !r.Name.StartsWith(HealthReport.EndpointPrefix, StringComparison.Ordinal));
        return new ServicesReady(others ? 0 : services.Count - endpoints, services.Count, string.Join(", ", missing.Select(r => r.Name).Distinct(StringComparer.Ordinal)));
    }
}
