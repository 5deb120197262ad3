using System.Text.Json;

namespace Antbot.LocalServers.Rabbit;

internal static class RabbitDefinitions
{
    /// <summary>
    /// A virtual host and the user's permission on it, to be imported in one call: a command for each would start Erlang twice.
    /// </summary>
    public static string VirtualHost(string name, string user) => JsonSerializer.Serialize(new
    {
        vhosts = new[] { new { name } },
        permissions = new[] { new { user, vhost = name, configure = ".*", write = ".*", read = ".*" } },
    });
}
