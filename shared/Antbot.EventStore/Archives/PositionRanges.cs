using System.Globalization;

namespace Antbot.EventStore.Archives;

/// <summary>Positions in the ledger, in their order: 12-15,20.</summary>
internal sealed class PositionRanges
{
    private readonly List<(long From, long To)> _ranges = [];

    public long Count { get; private set; }

    public long First => _ranges.Count == 0 ? 0 : _ranges[0].From;

    public long Last => _ranges.Count == 0 ? 0 : _ranges[^1].To;

    public static PositionRanges Of(IEnumerable<long> positions)
    {
        var ranges = new PositionRanges();
        foreach (var position in positions.Order())
            ranges.Add(position);
        return ranges;
    }

    /// <summary>Null where it is none.</summary>
    public static PositionRanges? Parse(string text)
    {
        var ranges = new PositionRanges();
        foreach (var part in text.Split(','))
        {
            var dash = part.IndexOf('-', StringComparison.Ordinal);
            if (!long.TryParse(dash < 0 ? part : part[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var from)
                || !long.TryParse(dash < 0 ? part : part[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var to)
                || from <= ranges.Last || to < from)
            {
                return null;
            }
            ranges._ranges.Add((from, to));
            ranges.Count += to - from + 1;
        }
        return ranges;
    }

    /// <summary>One that comes after all that are here.</summary>
    public void Add(long position)
    {
        if (position <= Last)
            throw new ArgumentOutOfRangeException(nameof(position), position, $"The positions go up; the last one was {Last}.");
        if (_ranges.Count > 0 && Last + 1 == position)
            _ranges[^1] = (_ranges[^1].From, position);
        else
            _ranges.Add((position, position));
        Count++;
    }

    public bool Contains(long position)
    {
        var (low, high) = (0, _ranges.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (position < _ranges[middle].From)
                high = middle - 1;
            else if (position > _ranges[middle].To)
                low = middle + 1;
            else
                return true;
        }
        return false;
    }

    public IEnumerable<long> All()
    {
        foreach (var (from, to) in _ranges)
        {
            for (var position = from; position <= to; position++)
                yield return position;
        }
    }

    public override string ToString() =>
        string.Join(',', _ranges.Select(r => r.From == r.To ? r.From.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{r.From}-{r.To}")));
}
