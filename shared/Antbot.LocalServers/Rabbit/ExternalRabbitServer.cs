namespace Antbot.LocalServers.Rabbit;

/// <summary>A broker that somebody else runs: named in the environment, or a container of Testcontainers'.</summary>
internal sealed class ExternalRabbitServer(Uri uri, Uri? managementUri, IAsyncDisposable? container) : RabbitServer(uri, managementUri)
{
    public override bool IsOwned => false;

    public static async Task<RabbitServer> OpenAsync(string address, string? management, CancellationToken cancellationToken)
    {
        await DescribeAsync(address, cancellationToken);
        return new ExternalRabbitServer(
            Parse(address, HostView.RabbitVariable), management is null ? null : WithCredentials(management, address), container: null);
    }

    /// <summary>Host and port of the broker, once it has answered.</summary>
    public static async Task<string> DescribeAsync(string address, CancellationToken cancellationToken)
    {
        var uri = Parse(address, HostView.RabbitVariable);
        if (await RabbitProbe.TryAsync(uri, cancellationToken) is { } noAnswer)
        {
            throw new ServerException(
                $"{HostView.RabbitVariable} is set, but its broker does not answer: {noAnswer.Message} Start it, correct the variable, or unset it to use a private one.",
                noAnswer);
        }

        return $"{uri.Host}:{uri.Port}";
    }

    public override ValueTask DisposeAsync() => container?.DisposeAsync() ?? ValueTask.CompletedTask;

    // Usually the same user; then it need not be written twice.
    private static Uri WithCredentials(string management, string address)
    {
        var uri = Parse(management, HostView.RabbitManagementVariable);
        var user = Parse(address, HostView.RabbitVariable).UserInfo;
        return uri.UserInfo.Length > 0 || user.Length == 0 ? uri : new Uri($"{uri.Scheme}://{user}@{uri.Authority}/");
    }

    // The text is not repeated: it holds a password.
    private static Uri Parse(string text, string variable) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
            ? uri
            : throw new ServerException($"{variable} is not an address such as amqp://user:password@host:5672/.");
}
