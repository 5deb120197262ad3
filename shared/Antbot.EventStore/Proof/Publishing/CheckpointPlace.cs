using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof.Publishing;

/// <summary>Somewhere that whoever can change the database and the files beside it cannot reach.</summary>
/// <param name="name">For people: without what may be a secret.</param>
public abstract class CheckpointPlace(string name)
{
    public const string Token = "ANTBOT_PUBLISH_TOKEN";
    public const string AccessKey = "ANTBOT_PUBLISH_ACCESSKEY";
    public const string SecretKey = "ANTBOT_PUBLISH_SECRETKEY";

    private const string BucketPrefix = "s3:";
    private const string FilePrefix = "file:";

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    public string Name { get; } = name;

    /// <summary>Why this names no place; null where it does.</summary>
    public static string? Fault(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.StartsWith(FilePrefix, StringComparison.Ordinal))
            return address.Length > FilePrefix.Length ? null : "file: is followed by a path.";
        var isBucket = address.StartsWith(BucketPrefix, StringComparison.Ordinal);
        // What is no address may hold a secret all the same: it is not repeated.
        if (!Uri.TryCreate(isBucket ? address[BucketPrefix.Length..] : address, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
            return "That is no place: https://host/path, s3:https://host/bucket/prefix?region=name or file:path is wanted.";
        if (uri.UserInfo.Length > 0 || uri.Fragment.Length > 0 || (!isBucket && uri.Query.Length > 0))
            return "A place has no secrets in its address, and nothing behind its path: they come from the environment.";
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
            return new FilePlace(address[FilePrefix.Length..]);
        if (!address.StartsWith(BucketPrefix, StringComparison.Ordinal))
            return new WebhookPlace(new Uri(address), http, secret(Token));
        var bucket = new Uri(address[BucketPrefix.Length..]);
        return new BucketPlace(bucket, http, new AwsSignature(Wanted(AccessKey), Wanted(SecretKey), RegionOf(bucket)!), clock);

        string Wanted(string name) => secret(name) ?? throw new ArgumentException($"To publish to a bucket, {name} (or {name}_FILE) must be set.", nameof(address));
    }

    /// <summary>Returns when it is there. There it may be already: that is as good.</summary>
    /// <exception cref="CheckpointNotPublishedException">It is not, or another is.</exception>
    public async Task PutAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Within);
        try
        {
            await BringAsync(checkpoint, limit.Token);
        }
        catch (Exception e) when (e is not CheckpointNotPublishedException && !cancellationToken.IsCancellationRequested)
        {
            throw new CheckpointNotPublishedException($"{Name} does not take it: {(e is OperationCanceledException ? $"no answer within {Within.TotalSeconds:0} s" : e.Message)}", e);
        }
    }

    protected abstract Task BringAsync(Checkpoint checkpoint, CancellationToken cancellationToken);

    private static string? RegionOf(Uri uri) => uri.Query is ['?', .. var query] && query.StartsWith("region=", StringComparison.Ordinal) && query[7..] is { Length: > 0 } region && region.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? region : null;

    private static string NameOf(Uri uri) => uri.GetLeftPart(UriPartial.Authority);

    private CheckpointNotPublishedException Refused(HttpResponseMessage answer) => new($"{Name} answered {(int)answer.StatusCode}.");

    private static ByteArrayContent Body(Checkpoint checkpoint) =>
        new(Encoding.UTF8.GetBytes(CheckpointFile.Format(checkpoint))) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    /// <summary>On another disk, or a share of another machine.</summary>
    private sealed class FilePlace(string path) : CheckpointPlace($"{FilePrefix}{path}")
    {
        protected override async Task BringAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
        {
            var file = new CheckpointFile(path);
            using var turn = await file.TakeTurnAsync(cancellationToken);
            if (file.Newest() is not { } newest || CheckpointFile.Format(newest) != CheckpointFile.Format(checkpoint))
                file.Append(checkpoint);
        }
    }

    private sealed class WebhookPlace(Uri address, HttpClient http, string? token) : CheckpointPlace(NameOf(address))
    {
        protected override async Task BringAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = Body(checkpoint) };
            if (token is not null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!answer.IsSuccessStatusCode)
                throw Refused(answer);
        }
    }

    /// <summary>An object of its own for each, which is never written over.</summary>
    private sealed class BucketPlace(Uri bucket, HttpClient http, AwsSignature signature, TimeProvider clock) : CheckpointPlace($"{BucketPrefix}{NameOf(bucket)}")
    {
        private const int ObjectBytesMax = 64 * 1024;

        protected override async Task BringAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
        {
            var name = new Uri($"{bucket.GetLeftPart(UriPartial.Path).TrimEnd('/')}/{checkpoint.StoreId:D}/{checkpoint.Position:D19}.json");
            using var put = new HttpRequestMessage(HttpMethod.Put, name) { Content = Body(checkpoint) };
            put.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
            signature.Sign(put, await put.Content.ReadAsByteArrayAsync(cancellationToken), clock.GetUtcNow());
            using var answer = await http.SendAsync(put, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (answer.StatusCode is HttpStatusCode.PreconditionFailed)
                await CompareAsync(checkpoint, name, cancellationToken);
            else if (!answer.IsSuccessStatusCode)
                throw Refused(answer);
        }

        private async Task CompareAsync(Checkpoint checkpoint, Uri name, CancellationToken cancellationToken)
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, name);
            signature.Sign(get, [], clock.GetUtcNow());
            using var there = await http.SendAsync(get, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!there.IsSuccessStatusCode)
                throw Refused(there);
            if (there.Content.Headers.ContentLength is not (>= 0 and <= ObjectBytesMax) || !(await there.Content.ReadAsByteArrayAsync(cancellationToken)).AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(CheckpointFile.Format(checkpoint))))
                throw new CheckpointNotPublishedException($"{Name} has another checkpoint at position {checkpoint.Position}: one of the two histories was rewritten. Run 'antbot verify'.") { IsContradicted = true };
        }
    }
}

public sealed class CheckpointNotPublishedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>It is no trouble that passes: what is there says otherwise than what is here.</summary>
    public bool IsContradicted { get; init; }
}
