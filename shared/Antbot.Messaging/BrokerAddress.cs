namespace Antbot.Messaging;

/// <summary>An AMQP address, taken apart.</summary>
internal sealed record BrokerAddress(string Host, int Port, string VirtualHost, string User, string Password, bool IsTls)
{
    private const string Form = "amqp://user:password@host:port/virtual-host (amqps: for TLS), or 'memory:' for one process";

    public static BrokerAddress Parse(string address)
    {
        if (Fault(address) is { } fault)
            throw new ArgumentException(fault, nameof(address));
        var uri = new Uri(address);
        var user = uri.UserInfo.Split(':', 2);
        var path = uri.AbsolutePath.Trim('/');
        var tls = uri.Scheme == "amqps";
        return new BrokerAddress(
            uri.Host,
            uri.Port > 0 ? uri.Port : tls ? 5671 : 5672,
            path.Length == 0 ? "/" : Uri.UnescapeDataString(path),
            Uri.UnescapeDataString(user[0]),
            user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "",
            tls);
    }

    /// <summary>The text may hold a password: it is not repeated.</summary>
    public static string? Fault(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("amqp" or "amqps") || uri.Host.Length == 0)
            return $"The bus address is not of the form {Form}.";
        if (uri.UserInfo.Length == 0)
            return $"The bus address names no user: {Form}.";
        return uri.AbsolutePath.Trim('/').Contains('/', StringComparison.Ordinal) ? "The bus address has more than one virtual host; write '/' in a name as %2F." : null;
    }

    /// <summary>For people.</summary>
    public override string ToString() => $"RabbitMQ at {Host}:{Port}, virtual host '{VirtualHost}'";
}
