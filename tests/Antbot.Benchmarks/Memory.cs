namespace Antbot.Benchmarks;

/// <summary>Resident memory along a long work: the last quarter's average over the second's says whether it grows.</summary>
public sealed class Memory(long all)
{
    private readonly List<(long Done, long Bytes)> _samples = [];

    public void Sample(long done) => _samples.Add((done, Resident()));

    public double LastMegabytes => Average(3) / 1e6;

    public double SecondMegabytes => Average(1) / 1e6;

    private double Average(int quarter) => _samples.Where(s => s.Done * 4 / all == quarter || (quarter == 3 && s.Done >= all)).Average(s => s.Bytes);

    private static long Resident()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                return long.Parse(line.AsSpan(6).Trim().TrimEnd("kB").Trim()) * 1024;
        }
        return Environment.WorkingSet;
    }
}
