using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof.Publishing;

/// <summary>Somewhere that whoever can change the database and the files beside it cannot reach.</summary>
public abstract class CheckpointPlace(string address)
{
    public const string Token = "ANTBOT_PUBLISH_TOKEN";
    public const string AccessKey = "ANTBOT_PUBLISH_ACCESSKEY";
    public const string SecretKey = "ANTBOT_PUBLISH_SECRETKEY";

    private const string BucketPrefix = "s3:";
    private const string FilePrefix = "file:";

    /// <summary>As it was given; there are no secrets in it.</summary>
    public string Address { get; } = address;

    /// <summary>Why this names no place; null where it does.</summary>
    public static string? Fault(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.StartsWith(FilePrefix, StringComparison.Ordinal))
            return address.Length > FilePrefix.Length ? null : "file: is followed by a path.";
        var isBucket = address.StartsWith(BucketPrefix, StringComparison.Ordinal);
        if (!Uri.TryCreate(isBucket ? address[BucketPrefix.Length..] : address, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
            return $"'{address}' is no place: https://host/path, s3:https://host/bucket/prefix?region=name or file:path is wanted.";
        if (uri.UserInfo.Length > 0)
            return "A place has no secrets in its address: they come from the environment.";
        if (uri.Scheme == "http" && !uri.IsLoopback)
            return "What is published is sent with a secret: https is wanted.";
        return isBucket && (uri.Segments.Length < 2 || RegionOf(uri) is null) ? "s3: wants a bucket and its region: s3:https://host/bucket/prefix?region=name." : null;
    }

    /// <param name="secret">By its name; null where there is none.</param>
    public static CheckpointPlace Of(string address, HttpClient http, Func<string, string?> secret, TimeProvider clock)
    {
        if (Fault(address) is { } fault)
            throw new ArgumentException(fault, nameof(address));
        if (address.StartsWith(FilePrefix, StringComparison.Ordinal))
            return new FilePlace(address, address[FilePrefix.Length..]);
        if (!address.StartsWith(BucketPrefix, StringComparison.Ordinal))
            return new WebhookPlace(address, http, secret(Token));
        return new BucketPlace(address, new Uri(address[BucketPrefix.Length..]), http, new AwsSignature(Wanted(AccessKey), Wanted(SecretKey), RegionOf(new Uri(address[BucketPrefix.Length..]))!), clock);

        string Wanted(string name) => secret(name) ?? throw new ArgumentException($"To publish to {address}, {name} (or {name}_FILE) must be set.", nameof(address));
    }

    /// <summary>Returns when it is there. There it may be already: that is as good.</summary>
    /// <exception cref="CheckpointNotPublishedException">It is not, or another is.</exception>
    public abstract Task PutAsync(Checkpoint checkpoint, CancellationToken cancellationToken);

    private static string? RegionOf(Uri uri) => uri.Query is ['?', .. var query] && query.StartsWith("region=", StringComparison.Ordinal) && query.Length > 7 ? query[7..] : null;

    private CheckpointNotPublishedException Refused(HttpResponseMessage answer) => new($"{Address} answered {(int)answer.StatusCode}.");

    private async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new CheckpointNotPublishedException($"{Address} does not answer: {e.Message}", e);
        }
    }

    private static ByteArrayContent Body(Checkpoint checkpoint) =>
        new(Encoding.UTF8.GetBytes(CheckpointFile.Format(checkpoint))) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    /// <summary>On another disk, or a share of another machine.</summary>
    private sealed class FilePlace(string address, string path) : CheckpointPlace(address)
    {
        public override async Task PutAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
        {
            var file = new CheckpointFile(path);
            try
            {
                using var turn = await file.TakeTurnAsync(cancellationToken);
                if (file.Read().Checkpoints.TrueForAll(c => CheckpointFile.Format(c) != CheckpointFile.Format(checkpoint)))
                    file.Append(checkpoint);
            }
            catch (EventStoreException e)
            {
                throw new CheckpointNotPublishedException(e.Message, e);
            }
        }
    }

    private sealed class WebhookPlace(string address, HttpClient http, string? token) : CheckpointPlace(address)
    {
        public override async Task PutAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Address) { Content = Body(checkpoint) };
            if (token is not null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var answer = await SendAsync(http, request, cancellationToken);
            if (!answer.IsSuccessStatusCode)
                throw Refused(answer);
        }
    }

    /// <summary>An object of its own for each, which is never written over.</summary>
    private sealed class BucketPlace(string address, Uri bucket, HttpClient http, AwsSignature signature, TimeProvider clock) : CheckpointPlace(address)
    {
        private const int ObjectBytesMax = 64 * 1024;

        public override async Task PutAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
        {
            var name = new Uri($"{bucket.GetLeftPart(UriPartial.Path).TrimEnd('/')}/{checkpoint.StoreId:D}/{checkpoint.Position:D19}.json");
            using var put = new HttpRequestMessage(HttpMethod.Put, name) { Content = Body(checkpoint) };
            put.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
            signature.Sign(put, await put.Content.ReadAsByteArrayAsync(cancellationToken), clock.GetUtcNow());
            using var answer = await SendAsync(http, put, cancellationToken);
            if (answer.StatusCode is HttpStatusCode.PreconditionFailed)
                await CompareAsync(checkpoint, name, cancellationToken);
            else if (!answer.IsSuccessStatusCode)
                throw Refused(answer);
        }

        private async Task CompareAsync(Checkpoint checkpoint, Uri name, CancellationToken cancellationToken)
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, name);
            signature.Sign(get, [], clock.GetUtcNow());
            using var there = await SendAsync(http, get, cancellationToken);
            if (!there.IsSuccessStatusCode)
                throw Refused(there);
            if (there.Content.Headers.ContentLength is not (>= 0 and <= ObjectBytesMax) || await there.Content.ReadAsStringAsync(cancellationToken) != CheckpointFile.Format(checkpoint))
                throw new CheckpointNotPublishedException($"{Address} has another checkpoint at position {checkpoint.Position}: one of the two histories was rewritten. Run 'antbot verify'.");
        }
    }
}

public sealed class CheckpointNotPublishedException(string message, Exception? inner = null) : Exception(message, inner);
