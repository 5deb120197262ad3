using System.Net.WebSockets;
using System.Threading.Channels;

namespace Antbot.PaperVenue.Streams;

/// <summary>One WebSocket and what waits to be sent to it. One that does not keep up is cut.</summary>
internal abstract class Connection(TimeProvider clock, TimeSpan maxAge)
{
    private const int MaxWaiting = 4_096;
    private const int MaxRequestBytes = 64 << 10;

    private static readonly TimeSpan FarewellWithin = TimeSpan.FromSeconds(10);

    private readonly Channel<ReadOnlyMemory<byte>> _waiting = Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly CancellationTokenSource _cut = new();
    private volatile bool _finishing;

    /// <summary>Why it was ended by the venue, if it was.</summary>
    public string? CutBecause { get; private set; }

    protected TimeProvider Clock { get; } = clock;

    protected CancellationToken Ended => _cut.Token;

    /// <summary>What everybody may hear.</summary>
    public abstract void Send(string stream, ReadOnlyMemory<byte> message);

    /// <summary>What the owner of an account is told.</summary>
    public abstract void Tell(int account, ReadOnlyMemory<byte> message);

    /// <summary>The listen key has ended: so does what was listened to with it.</summary>
    public abstract void KeyEnded(string key, ReadOnlyMemory<byte> message);

    /// <summary>Nothing more is heard from it or said to it.</summary>
    public abstract void Leave();

    public void Cut(string why)
    {
        CutBecause ??= why;
        _waiting.Writer.TryComplete();
        // Whoever waits goes on elsewhere: this may be called while the market is held still.
        _ = _cut.CancelAsync();
    }

    /// <summary>Ends it after what waits has been sent, with a word of farewell.</summary>
    public void Finish(string why)
    {
        CutBecause ??= why;
        _finishing = true;
        _waiting.Writer.TryComplete();
    }

    public async Task RunAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cut.Token);
        using var age = new CancellationTokenSource(maxAge, Clock);
        using var old = age.Token.Register(() => Finish("its time is over"));
        var sending = SendAllAsync(socket, end.Token);
        await ReceiveAsync(socket, end.Token);
        Cut("it is closed");
        await sending;
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            socket.Abort();
    }

    /// <summary>False when it was too often and the connection has to end.</summary>
    protected abstract bool Hear(ReadOnlySpan<byte> request);

    protected void Enqueue(ReadOnlyMemory<byte> message)
    {
        // What comes between the last message and the farewell is not for it any more, and is no reason to cut it.
        if (!_waiting.Writer.TryWrite(message) && !_finishing)
            Cut("it does not keep up");
    }

    private async Task SendAllAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in _waiting.Reader.ReadAllAsync(cancellationToken))
                await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, CutBecause, cancellationToken);
            // Aborted at once, the connection would lose what the client has not read yet.
            _cut.CancelAfter(FarewellWithin);
            return;
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Gone, or cut.
        }
        Cut("it cannot be sent to");
    }

    private async Task ReceiveAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxRequestBytes];
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult got;
                do
                {
                    if (length == buffer.Length)
                        return;
                    got = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                    length += got.Count;
                }
                while (!got.EndOfMessage);
                if (got.MessageType == WebSocketMessageType.Close)
                {
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
                    return;
                }
                if (!Hear(buffer.AsSpan(0, length)))
                {
                    Cut("it asks too often");
                    return;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // Gone, or cut.
        }
    }
}
