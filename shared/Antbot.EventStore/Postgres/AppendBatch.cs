using Antbot.Runtime.Store;

namespace Antbot.EventStore.Postgres;

/// <summary>The appends of one batch, laid out as the arrays that the server takes.</summary>
internal sealed class AppendBatch
{
    private readonly Dictionary<string, int> _lanes = new(StringComparer.Ordinal);

    public AppendBatch(IReadOnlyList<PendingAppend> appends)
    {
        Appends = appends;
        var count = appends.Count;
        var events = appends.Sum(a => a.Prepared.Events.Count);
        (Lane, Offset, Count) = (new int[count], new int[count], new int[count]);
        Expected = new long[count];
        At = new DateTime[count];
        (Correlation, Causation, Actor, Headers) = (new string?[count], new string?[count], new string?[count], new byte[count][]);
        Id = new Guid[events];
        (Type, Clr) = (new string[events], new string[events]);
        (Data, Content) = (new byte[events][], new byte[events][]);
        var next = 0;
        for (var i = 0; i < count; i++)
            next = Lay(i, appends[i].Prepared, next, follows: i > 0 && appends[i].Before == appends[i - 1]);
        Streams = [.. _lanes.Keys];
    }

    public IReadOnlyList<PendingAppend> Appends { get; }

    public string[] Streams { get; }
    public int[] Lane { get; }
    public long[] Expected { get; }
    public int[] Offset { get; }
    public int[] Count { get; }
    public List<int> GuardAppend { get; } = [];
    public List<int> GuardLane { get; } = [];
    public List<long> GuardExpected { get; } = [];
    public DateTime[] At { get; }
    public string?[] Correlation { get; }
    public string?[] Causation { get; }
    public string?[] Actor { get; }
    public byte[]?[] Headers { get; }
    public Guid[] Id { get; }
    public string[] Type { get; }
    public string[] Clr { get; }
    public byte[][] Data { get; }
    public byte[][] Content { get; }

    /// <summary>An exact version of a stream, to be taken only if the append before it in the batch was appended: the server knows it by its sign.</summary>
    private static long After(ExpectedVersion version) => -2 - version.Value;

    private int Lay(int i, PreparedAppend prepared, int next, bool follows)
    {
        var request = prepared.Request;
        Lane[i] = LaneOf(request.Stream.Value);
        Expected[i] = follows ? After(request.Expected) : request.Expected.Value;
        Offset[i] = next + 1; // the server counts from 1
        Count[i] = prepared.Events.Count;
        foreach (var guard in request.Guards)
        {
            GuardAppend.Add(i + 1);
            GuardLane.Add(LaneOf(guard.Stream.Value));
            GuardExpected.Add(guard.Expected.Value);
        }
        At[i] = prepared.At.UtcDateTime;
        Correlation[i] = request.Meta.CorrelationId;
        Causation[i] = request.Meta.CausationId;
        Actor[i] = request.Meta.Actor;
        Headers[i] = prepared.Headers;
        foreach (var e in prepared.Events)
        {
            Id[next] = e.EventId;
            Type[next] = e.Type;
            Clr[next] = e.ClrType;
            Data[next] = e.Data;
            Content[next] = e.ContentHash;
            next++;
        }
        return next;
    }

    private int LaneOf(string stream)
    {
        if (!_lanes.TryGetValue(stream, out var lane))
            _lanes[stream] = lane = _lanes.Count + 1;
        return lane;
    }
}

/// <summary>The server's answer to a batch.</summary>
internal sealed record AppendAnswer(short[] Status, long[] Version, int[] Lane, long?[] Sequence, long FirstPosition);
