namespace Antbot.LocalServers;

/// <param name="Uri">An amqp address with user, password and virtual host.</param>
public sealed record RabbitVirtualHost(string Name, Uri Uri)
{
    // The address holds the password, and records are printed into test logs.
    public override string ToString() => Name;
}
