using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;

namespace Antbot.LocalServers.Rabbit;

/// <summary>The few requests of the management plugin's HTTP API that tests need.</summary>
internal sealed class ManagementApi(Uri address)
{
    private const int BodyLengthMax = 500;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public async Task CreateVirtualHostAsync(string name, string user, CancellationToken cancellationToken)
    {
        var host = Uri.EscapeDataString(name);
        await SendAsync(HttpMethod.Put, $"api/vhosts/{host}", body: null, cancellationToken);
        await SendAsync(
            HttpMethod.Put, $"api/permissions/{host}/{Uri.EscapeDataString(user)}", new { configure = ".*", write = ".*", read = ".*" }, cancellationToken);
    }

    public Task DropVirtualHostAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"api/vhosts/{Uri.EscapeDataString(name)}", body: null, cancellationToken);

    /// <summary>Null when it answers, else why not.</summary>
    public async Task<Exception?> TryAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(HttpMethod.Get, "api/whoami", body: null, cancellationToken);
            return null;
        }
        catch (ServerException noAnswer)
        {
            return noAnswer;
        }
    }

    private async Task SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = Limit };
        using var request = new HttpRequestMessage(method, new Uri($"{address.Scheme}://{address.Authority}/{path}"));
        var credentials = $"{AmqpUri.UserOf(address)}:{AmqpUri.PasswordOf(address)}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        request.Content = JsonContent.Create(body ?? new { });
        try
        {
            using var response = await client.SendAsync(request, cancellationToken);
            if (response.IsSuccessStatusCode)
                return;
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new ServerException(
                $"RabbitMQ's management API answered {(int)response.StatusCode} to {method} {path}: {text[..Math.Min(text.Length, BodyLengthMax)]}");
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or SocketException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw new ServerException($"RabbitMQ's management API at {address.Host}:{address.Port} does not answer: {unreachable.Message}", unreachable);
        }
    }
}
