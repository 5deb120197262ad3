using System.Globalization;
using System.Text.RegularExpressions;

namespace Antbot.Venues.Recording;

/// <param name="Trade">Its id, or a beginning of it.</param>
/// <param name="Order">The client's id.</param>
/// <param name="After">Go on after this, which the page before named.</param>
public sealed record RecordingQuery(DateTimeOffset? From, DateTimeOffset? Until, string? Trade, string? Order, string? Symbol, string? After, int Limit)
{
    public const int LimitMax = 1_000;

    /// <summary>Null where it can be answered.</summary>
    public string? Fault => Limit is < 1 or > LimitMax ? $"A page has 1 to {LimitMax} records."
        : From > Until ? "It ends before it begins."
        : After is not null && RecordingPlace.Parse(After) is null ? $"'{After}' is no place that a page has named."
        : null;

    internal bool IsOfOrder => Trade is not null || Order is not null;

    internal bool IsNarrow => IsOfOrder || Symbol is not null;
}

/// <param name="Service">Whose traffic it is.</param>
public sealed record RecordedTraffic(string Service, string Instance, TrafficRecord Record);

/// <param name="Next">To go on with; null where nothing follows.</param>
/// <param name="Notices">What could not be read, and where.</param>
public sealed record RecordingPage(IReadOnlyList<RecordedTraffic> Records, string? Next, IReadOnlyList<string> Notices);

/// <summary>Reads recordings of any number of processes as one, by time. What it reads may be damaged, or made by somebody.</summary>
public sealed class RecordingReader(string folder)
{
    private const int NoticesMax = 100;

    /// <summary>A page ends where it would grow beyond this, too.</summary>
    private const int PageBytesMax = 16 * 1024 * 1024;

    /// <summary>Files of one hour that are read side by side: each of their processes takes a frame's memory.</summary>
    private const int WritersMax = 256;

    private readonly List<string> _notices = [];
    private long _noticesLeftOut;

    /// <summary>Whether anything is recorded of this time.</summary>
    public static bool Covers(string folder, DateTimeOffset from, DateTimeOffset until) =>
        Directory.Exists(folder) && RecordingFile.List(folder).Any(f => f.File.Hour <= until && f.File.Hour.AddHours(1) > from);

    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">It cannot be answered, or what it is to go on after is gone.</exception>
    public RecordingPage Read(RecordingQuery query, CancellationToken cancellationToken = default)
    {
        if (query.Fault is { } fault)
            throw new ArgumentException(fault, nameof(query));
        _notices.Clear();
        _noticesLeftOut = 0;
        var (after, match) = (query.After is { } given ? RecordingPlace.Parse(given) : null, new RecordingMatch(query));
        var (found, bytes, last) = (new List<RecordedTraffic>(), 0, default(RecordingPlace));
        string? next = null;
        foreach (var (place, record) in All(query, after, cancellationToken))
        {
            var isMatch = match.Matches(record);
            if (after is not null)
            {
                after = place == after ? null : after;
                continue;
            }
            if (!isMatch)
                continue;
            if (found.Count == query.Limit || (found.Count > 0 && bytes + record.Bytes > PageBytesMax))
            {
                next = last!.ToString();
                break;
            }
            (bytes, last) = (bytes + record.Bytes, place);
            found.Add(new RecordedTraffic(place.File.Service, place.File.Instance, record));
        }
        if (after is not null)
            throw new ArgumentException("What it is to go on after is not there any more; begin again.", nameof(query));
        if (_noticesLeftOut > 0)
            _notices.Add($"{_noticesLeftOut} more of this kind.");
        return new RecordingPage(found, next, [.. _notices]);
    }

    /// <summary>Hour by hour, and within an hour by time over all processes, each of which is taken in the order that it wrote in.</summary>
    private IEnumerable<(RecordingPlace Place, TrafficRecord Record)> All(RecordingQuery query, RecordingPlace? after, CancellationToken cancellationToken)
    {
        var files = RecordingFile.List(folder).Where(f => !(f.File.Hour.AddHours(1) <= query.From) && !(f.File.Hour > query.Until));
        // Where an order is asked for, what came before tells which of the venue's numbers are its own.
        if (after is not null && !query.IsOfOrder)
            files = files.Where(f => f.File.Hour >= after.File.Hour);
        foreach (var hour in files.GroupBy(f => f.File.Hour))
        {
            var writers = hour.GroupBy(f => f.File.Writer, StringComparer.Ordinal).OrderBy(w => w.Min(f => f.Info.CreationTimeUtc)).ThenBy(w => w.Key, StringComparer.Ordinal).ToList();
            foreach (var some in writers.Chunk(WritersMax))
            {
                foreach (var record in Merge(some.Select(w => w.OrderBy(f => f.File.Part).SelectMany(f => Lines(f.File, f.Info, cancellationToken))), cancellationToken))
                {
                    if (!(record.Record.At < query.From) && !(record.Record.At > query.Until))
                        yield return record;
                }
            }
        }
    }

    private static IEnumerable<(RecordingPlace Place, TrafficRecord Record)> Merge(IEnumerable<IEnumerable<(RecordingPlace Place, TrafficRecord Record)>> writers, CancellationToken cancellationToken)
    {
        var heads = new PriorityQueue<IEnumerator<(RecordingPlace Place, TrafficRecord Record)>, (DateTimeOffset At, int Writer)>();
        var all = writers.Select(w => w.GetEnumerator()).ToList();
        try
        {
            for (var i = 0; i < all.Count; i++)
            {
                if (all[i].MoveNext())
                    heads.Enqueue(all[i], (all[i].Current.Record.At, i));
            }
            while (heads.TryDequeue(out var head, out var priority))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return head.Current;
                if (head.MoveNext())
                    heads.Enqueue(head, (head.Current.Record.At, priority.Writer));
            }
        }
        finally
        {
            foreach (var one in all)
                one.Dispose();
        }
    }

    private IEnumerable<(RecordingPlace Place, TrafficRecord Record)> Lines(RecordingFile file, FileInfo info, CancellationToken cancellationToken)
    {
        for (var at = 0L; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (state, raw, next) = ReadFrame(info, at);
            switch (state)
            {
                case FrameState.Whole:
                    var (index, strange) = (0, 0);
                    foreach (var line in SplitLines(raw))
                    {
                        if (TrafficRecord.Parse(raw.AsSpan(line)) is { } record)
                            yield return (new RecordingPlace(file, at, index), record);
                        else
                            strange++;
                        index++;
                    }
                    if (strange > 0)
                        Notice($"{file.Name}: {strange} lines at {at} are no records.");
                    break;
                case FrameState.Damaged:
                    Notice($"{file.Name}: what stands at {at} is not what was written, and was passed over.");
                    break;
                case FrameState.Torn:
                    Notice($"{file.Name}: its end is torn: what was written last (from {at} on) was cut off by a kill or a full disk.");
                    yield break;
                case FrameState.Strange:
                    Notice($"{file.Name}: from {at} on it is no recording ({info.Length - at} bytes).");
                    yield break;
                default:
                    yield break;
            }
            at = next;
        }
    }

    /// <summary>Opened for each: any number of files are read side by side.</summary>
    private (FrameState State, byte[] Raw, long Next) ReadFrame(FileInfo info, long at)
    {
        try
        {
            using var stream = new FileStream(info.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return Frame.Read(stream, at);
        }
        catch (FileNotFoundException)
        {
            Notice($"{info.Name} was removed while it was read.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Notice($"{info.Name} cannot be read: {e.Message}");
        }
        return (FrameState.End, [], at);
    }

    private static IEnumerable<Range> SplitLines(byte[] raw)
    {
        for (var begin = 0; begin < raw.Length;)
        {
            var length = raw.AsSpan(begin).IndexOf((byte)'\n');
            var end = length < 0 ? raw.Length : begin + length;
            yield return begin..end;
            begin = end + 1;
        }
    }

    private void Notice(string what)
    {
        if (_notices.Count < NoticesMax)
            _notices.Add(what);
        else
            _noticesLeftOut++;
    }
}

/// <summary>A line of a recording: its file, where its frame begins there, and which line of that.</summary>
internal sealed partial record RecordingPlace(RecordingFile File, long Frame, int Line)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File.Name}@{Frame}+{Line}");

    public static RecordingPlace? Parse(string text) =>
        Place().Match(text) is { Success: true } match && RecordingFile.Parse(match.Groups["file"].Value) is { } file
            ? new RecordingPlace(file, long.Parse(match.Groups["frame"].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups["line"].Value, CultureInfo.InvariantCulture))
            : null;

    [GeneratedRegex("^(?<file>[A-Za-z0-9.-]{1,160})@(?<frame>[0-9]{1,15})[+](?<line>[0-9]{1,9})$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Place();
}
