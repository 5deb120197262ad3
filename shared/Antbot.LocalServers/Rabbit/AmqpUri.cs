namespace Antbot.LocalServers.Rabbit;

internal static class AmqpUri
{
    public static Uri Create(int port, string user, string password) =>
        new($"amqp://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@127.0.0.1:{port}/");

    public static Uri WithVirtualHost(Uri server, string virtualHost) =>
        new($"{server.GetLeftPart(UriPartial.Authority)}/{Uri.EscapeDataString(virtualHost)}");

    public static string UserOf(Uri uri) => uri.UserInfo.Length == 0 ? "guest" : Uri.UnescapeDataString(uri.UserInfo.Split(':', 2)[0]);

    public static string PasswordOf(Uri uri) =>
        uri.UserInfo.Split(':', 2) is [_, var password] ? Uri.UnescapeDataString(password) : "guest";
}
