using System.Globalization;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text.Json;
using Antbot.Kernel.Time;
using Antbot.Resilience;
using Antbot.Venues.Recording;

namespace Antbot.Venues;

/// <summary>
/// A stream of market messages that comes back whenever it breaks or falls silent. A message that makes no sense is counted, told and
/// passed over: it is of one symbol, and the connection carries all of them. Where nothing else comes, it is silent.
/// </summary>
internal sealed class VenueStream(VenueOptions options, RequestBudget budget, StreamWatch watch, TimeProvider clock, TrafficRecorder? recorder = null)
{
    private const int MessageBytesMax = 256 * 1024;

    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(10);

    /// <summary>One that has lasted so long was a good one.</summary>
    private static readonly TimeSpan Steady = TimeSpan.FromMinutes(1);

    /// <param name="connected">Called after every connect, before the first message: what was missed can be fetched then.</param>
    /// <param name="heard">It says whether it was one that is decided on by itself, such as a closed candle.</param>
    /// <param name="silence">After this long without a message that makes sense the stream is taken for dead.</param>
    public async Task FollowAsync(
        IReadOnlyList<string> streams, Func<CancellationToken, Task> connected, Func<JsonElement, CancellationToken, ValueTask<bool>> heard, TimeSpan silence, CancellationToken cancellationToken)
    {
        var address = new Uri(options.Streams, $"stream?streams={string.Join('/', streams)}");
        using var watched = watch.Begin(streams, silence);
        var (connecting, pause) = (Retry.UntilItWorks(clock, Pause, RetryMax, Broke), Pause);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var socket = await connecting.ExecuteAsync(async token => await ConnectAsync(address, token), cancellationToken);
            var began = clock.GetTimestamp();
            try
            {
                recorder?.Stream(watched.Name, $"connected to {address.Authority}");
                await connected(cancellationToken);
                await ListenAsync(socket, streams, watched, heard, silence, cancellationToken);
                Broke(new IOException("the venue has ended it"));
            }
            catch (Exception e) when (e is WebSocketException or TimeoutException or IOException || Json.MakesNoSense(e))
            {
                Broke(e);
                socket.Abort();
            }
            // One that is cut as soon as it is made, again and again, is asked for ever more slowly: venues count connections, and shut out whoever makes too many.
            pause = clock.GetElapsedTime(began) >= Steady ? Pause : pause * 2 < RetryMax ? pause * 2 : RetryMax;
            await Task.Delay(pause, clock, cancellationToken);
        }

        void Broke(Exception e)
        {
            watched.Broke(e.Message);
            recorder?.Stream(watched.Name, $"broken: {e.Message}");
        }
    }

    private async Task<ClientWebSocket> ConnectAsync(Uri address, CancellationToken cancellationToken)
    {
        await budget.PassAsync(cancellationToken);
        var socket = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };
        try
        {
            using var timeout = new CancellationTokenSource(ConnectWithin, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            await socket.ConnectAsync(address, either.Token);
            return socket;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException($"{address.Host} does not take the stream's connection within {ConnectWithin.TotalSeconds} s.", e);
        }
        catch (WebSocketException e) when (WaitOf(socket) is { } wait)
        {
            var status = (int)socket.HttpStatusCode;
            socket.Dispose();
            await budget.BlockAsync(wait);
            throw new IOException($"{address.Host} says {status}: nothing is sent for {wait}", e);
        }
        catch (Exception)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Who is not let in may be told to wait, as in any other answer.</summary>
    private TimeSpan? WaitOf(ClientWebSocket socket)
    {
        _ = RetryConditionHeaderValue.TryParse(Header("Retry-After"), out var retryAfter);
        return ToldToWait.Of(
            (int)socket.HttpStatusCode,
            retryAfter?.Delta,
            retryAfter?.Date,
            DateTimeOffset.TryParseExact(Header("Date"), "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null,
            budget.Now);

        string? Header(string name) => socket.HttpResponseHeaders is { } headers && headers.TryGetValue(name, out var values) ? values.FirstOrDefault() : null;
    }

    private async Task ListenAsync(
        ClientWebSocket socket, IReadOnlyList<string> streams, StreamWatch.Watched watched, Func<JsonElement, CancellationToken, ValueTask<bool>> heard, TimeSpan silence, CancellationToken cancellationToken)
    {
        var buffer = new byte[MessageBytesMax];
        var heardAt = clock.GetTimestamp();
        while (true)
        {
            var (length, stream, keep) = (0, "", false);
            try
            {
                length = await ReceiveAsync(socket, buffer, heardAt, silence, cancellationToken);
                if (length < 0)
                    return;
                using var document = JsonDocument.Parse(buffer.AsMemory(0, length));
                stream = document.RootElement.Find("stream") is { ValueKind: JsonValueKind.String } name ? name.GetString()! : "";
                keep = await heard(document.RootElement.Need("data"), cancellationToken);
                // Only now: what cannot be read is no news.
                watched.Heard();
                heardAt = clock.GetTimestamp();
            }
            catch (Exception e) when (Json.MakesNoSense(e))
            {
                Listing.PassedOver(options.Name, "stream message");
                watched.MadeNoSense(streams.Contains(stream, StringComparer.Ordinal) ? stream : "none that is followed", e.Message);
            }
            finally
            {
                if (length > 0)
                    recorder?.Heard(stream, buffer.AsSpan(0, length), keep);
            }
        }
    }

    /// <returns>The length of the message, or -1 where the other side ends it.</returns>
    private async Task<int> ReceiveAsync(ClientWebSocket socket, byte[] buffer, long heardAt, TimeSpan silence, CancellationToken cancellationToken)
    {
        var left = silence - clock.GetElapsedTime(heardAt);
        using var timeout = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var (length, isTooLong) = (0, false);
            while (true)
            {
                var got = await socket.ReceiveAsync(buffer.AsMemory(length), either.Token);
                if (got.MessageType == WebSocketMessageType.Close)
                    return -1;
                length += got.Count;
                if (got.EndOfMessage)
                    return isTooLong ? throw new BadAnswerException($"a message of more than {MessageBytesMax} bytes") : length;
                // What follows is read over what came before: to its end, where the next message begins.
                if (length == buffer.Length)
                    (length, isTooLong) = (0, true);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing that makes sense was heard for {silence.TotalSeconds} s", e);
        }
    }
}
