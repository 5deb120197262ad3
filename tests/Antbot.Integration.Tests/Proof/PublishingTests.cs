using System.Net;
using System.Text;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.EventStore.Proof.Publishing;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Proof;

/// <summary>Checkpoints are brought to where nobody who rewrites history here can reach.</summary>
public sealed class PublishingTests : IAsyncLifetime
{
    private const string Bearer = "a-bearer-of-the-webhook";
    private const string BucketSecret = "a-secret-of-the-bucket";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-publishing-").FullName;
    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private readonly HttpListener _server = new();
    private readonly string _address = $"http://127.0.0.1:{FreePort.Next()}";
    private readonly HttpClient _http = new();
    private readonly Lock _lock = new();
    private readonly List<(string Method, string Path, string? Authorization, string? IfNoneMatch, string Body)> _seen = [];
    private readonly Dictionary<string, string> _objects = [];
    private SigningKey _key = null!;
    private CheckpointFile _file = null!;
    private Task _serving = Task.CompletedTask;
    private volatile bool _isBroken;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _key = SigningKey.LoadOrCreate(Path.Combine(_folder, "signing.key"));
        _file = new CheckpointFile(Path.Combine(_folder, "checkpoints.jsonl"));
        _server.Prefixes.Add($"{_address}/");
        _server.Start();
        _serving = ServeAsync();
        await CheckpointAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _server.Close();
        await _serving;
        _http.Dispose();
        _key.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("https://example.org/checkpoints", null)]
    [InlineData("s3:https://s3.example.org/bucket?region=eu-central-1", null)]
    [InlineData("file:/mnt/elsewhere/checkpoints.jsonl", null)]
    [InlineData("http://127.0.0.1:9000/hook", null)]
    [InlineData("http://example.org/checkpoints", "https is wanted")]
    [InlineData("https://user:secret@example.org/", "no secrets in its address")]
    [InlineData("https://example.org/hook?token=secret", "no secrets in its address")]
    [InlineData("s3:https://s3.example.org/bucket?region=eu&x=y", "its region")]
    [InlineData("s3:https://s3.example.org/?region=eu-central-1", "wants a bucket")]
    [InlineData("s3:https://s3.example.org/bucket", "its region")]
    [InlineData("ftp://user:secret@example.org/", "is no place")]
    [InlineData("file:", "a path")]
    [InlineData("", "is no place")]
    public void A_place_is_named_or_the_fault_is_said(string address, string? fault)
    {
        if (fault is null)
            Assert.Null(CheckpointPlace.Fault(address));
        else
        {
            Assert.Contains(fault, CheckpointPlace.Fault(address), StringComparison.Ordinal);
            Assert.DoesNotContain("secret@", CheckpointPlace.Fault(address), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_bucket_without_keys_is_refused_by_the_name_of_what_is_missing() =>
        Assert.Contains(
            CheckpointPlace.AccessKey, Assert.Throws<ArgumentException>(() => CheckpointPlace.Of("s3:https://s3.example.org/bucket?region=x", _http, _ => null, TimeProvider.System)).Message, StringComparison.Ordinal);

    /// <summary>The two examples of the signature's own documentation.</summary>
    [Fact]
    public void A_request_is_signed_as_the_signature_is_documented()
    {
        var signature = new AwsSignature("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1");
        var at = new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);
        using var get = new HttpRequestMessage(HttpMethod.Get, "https://examplebucket.s3.amazonaws.com/test.txt") { Headers = { Range = new(0, 9) } };
        signature.Sign(get, [], at);
        Assert.EndsWith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", Assert.Single(get.Headers.GetValues("Authorization")), StringComparison.Ordinal);

        using var put = new HttpRequestMessage(HttpMethod.Put, "https://examplebucket.s3.amazonaws.com/test%24file.text") { Headers = { Date = at } };
        put.Headers.Add("x-amz-storage-class", "REDUCED_REDUNDANCY");
        signature.Sign(put, "Welcome to Amazon S3."u8.ToArray(), at);
        Assert.Equal(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            Assert.Single(put.Headers.GetValues("Authorization")));
    }

    [Fact]
    public async Task A_webhook_hears_of_each_with_its_bearer()
    {
        await Place($"{_address}/hook").PutAsync(Newest, Cancel);
        var (method, path, authorization, _, body) = Assert.Single(Seen);
        Assert.Equal(("POST", "/hook", $"Bearer {Bearer}", CheckpointFile.Format(Newest)), (method, path, authorization, body));
    }

    [Fact]
    public async Task In_a_bucket_each_has_its_own_object_that_is_never_written_over_and_another_one_there_is_told()
    {
        var place = Place($"s3:{_address}/bucket/antbot?region=here");
        await place.PutAsync(Newest, Cancel);
        await place.PutAsync(Newest, Cancel);
        var first = Newest;
        Assert.Equal([$"/bucket/antbot/{first.StoreId:D}/{first.Position:D19}.json"], _objects.Keys);
        Assert.All(Seen, s => Assert.StartsWith("AWS4-HMAC-SHA256 Credential=a-key/", s.Authorization, StringComparison.Ordinal));
        Assert.All(Seen.Where(s => s.Method == "PUT"), s => Assert.Equal("*", s.IfNoneMatch));
        Assert.All(Seen, s => Assert.DoesNotContain(BucketSecret, s.ToString(), StringComparison.Ordinal));

        var rewritten = CheckpointStatement.Sign(new LedgerHead(first.StoreId, first.Position, first.Sequence, new byte[32]), null, first.At, _key);
        Assert.Contains("rewritten", (await Assert.ThrowsAsync<CheckpointNotPublishedException>(() => place.PutAsync(rewritten, Cancel))).Message, StringComparison.Ordinal);
        Assert.Equal(CheckpointFile.Format(first), Assert.Single(_objects).Value);
    }

    [Fact]
    public async Task To_another_file_each_comes_once()
    {
        var other = Path.Combine(_folder, "elsewhere", "checkpoints.jsonl");
        var place = Place($"file:{other}");
        await place.PutAsync(Newest, Cancel);
        await place.PutAsync(Newest, Cancel);
        Assert.Equal([CheckpointFile.Format(Newest)], File.ReadAllLines(other));
    }

    [Fact]
    public async Task What_cannot_be_published_is_said_once_and_keeps_no_other_place_waiting_and_the_newest_comes_when_it_can()
    {
        var (said, ended) = (new List<string>(), new TaskCompletionSource());
        var other = Path.Combine(_folder, "other.jsonl");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        _isBroken = true;
        var running = new CheckpointPublisher(_file, [Place($"{_address}/hook"), Place($"file:{other}")], TimeSpan.FromMilliseconds(20), TimeProvider.System, Say).RunAsync(ended.Task, stop.Token);
        await UntilAsync(() => Seen.Count >= 3 && File.Exists(other));
        await CheckpointAsync();
        _isBroken = false;
        await UntilAsync(() => Seen.Any(s => s.Body == CheckpointFile.Format(Newest)));
        await UntilAsync(() => File.ReadAllLines(other).Length == 2);
        await stop.CancelAsync();
        // What is signed at the very end is brought there too.
        await CheckpointAsync();
        ended.SetResult();
        await running;
        Assert.Equal(CheckpointFile.Format(Newest), File.ReadAllLines(other)[^1]);
        lock (_lock)
            Assert.Equal([$"The checkpoint could not be published: {_address} answered 500. It is tried again.", $"{_address} takes checkpoints again."], said);

        void Say(string what)
        {
            lock (_lock)
                said.Add(what);
        }
    }

    /// <summary>Prevents that the one message all this is for is lost in an outage, or followed by an all-clear.</summary>
    [Fact]
    public async Task That_another_is_there_is_said_each_time_and_never_made_good()
    {
        var said = new List<string>();
        var first = Newest;
        _isBroken = true;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = new CheckpointPublisher(_file, [Place($"s3:{_address}/bucket?region=here")], TimeSpan.FromMilliseconds(10), TimeProvider.System, Say).RunAsync(Task.CompletedTask, stop.Token);
        await UntilAsync(() => Said().Count > 0);
        lock (_lock)
            _objects[$"/bucket/{first.StoreId:D}/{first.Position:D19}.json"] = CheckpointFile.Format(CheckpointStatement.Sign(new LedgerHead(first.StoreId, first.Position, first.Sequence, new byte[32]), null, first.At, _key));
        _isBroken = false;
        await UntilAsync(() => Said().Count(s => s.StartsWith("TAMPERED: ", StringComparison.Ordinal)) > 1);
        await CheckpointAsync();
        await UntilAsync(() => Seen.Any(s => s.Body == CheckpointFile.Format(Newest)));
        await stop.CancelAsync();
        await running;
        Assert.DoesNotContain(Said(), s => s.Contains("again.", StringComparison.Ordinal) && !s.Contains("tried again", StringComparison.Ordinal));

        List<string> Said()
        {
            lock (_lock)
                return [.. said];
        }

        void Say(string what)
        {
            lock (_lock)
                said.Add(what);
        }
    }

    private Checkpoint Newest => _file.Read().Checkpoints[^1];

    private IReadOnlyList<(string Method, string Path, string? Authorization, string? IfNoneMatch, string Body)> Seen
    {
        get
        {
            lock (_lock)
                return [.. _seen];
        }
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
            await Task.Delay(5, Cancel);
    }

    private CheckpointPlace Place(string address) =>
        CheckpointPlace.Of(address, _http, name => name switch { CheckpointPlace.Token => Bearer, CheckpointPlace.AccessKey => "a-key", CheckpointPlace.SecretKey => BucketSecret, _ => null }, TimeProvider.System);

    private async Task CheckpointAsync()
    {
        await _store.AppendAsync(Some.Append(Some.Stream()), Cancel);
        await new Checkpointer(_store, _key, _file, TimeProvider.System).CheckpointAsync(Cancel);
    }

    private async Task ServeAsync()
    {
        while (_server.IsListening)
        {
            try
            {
                Answer(await _server.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Answer(HttpListenerContext context)
    {
        var request = context.Request;
        using var reader = new StreamReader(request.InputStream, Encoding.UTF8);
        var (path, body) = (request.Url!.AbsolutePath, reader.ReadToEnd());
        lock (_lock)
        {
            _seen.Add((request.HttpMethod, path, request.Headers["Authorization"], request.Headers["If-None-Match"], body));
            var answer = "";
            context.Response.StatusCode = 200;
            if (_isBroken)
                context.Response.StatusCode = 500;
            else if (request.HttpMethod == "PUT" && !_objects.TryAdd(path, body))
                context.Response.StatusCode = 412;
            else if (request.HttpMethod == "GET")
                answer = _objects[path];
            context.Response.ContentLength64 = answer.Length;
            context.Response.OutputStream.Write(Encoding.UTF8.GetBytes(answer));
        }
        context.Response.Close();
    }
}
