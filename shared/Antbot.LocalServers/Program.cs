using System.CommandLine;
using Antbot.LocalServers;
using Antbot.LocalServers.Commands;

// Longer than any orderly stop of a server takes, so that Ctrl-C leaves nothing behind.
var configuration = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(60), EnableDefaultExceptionHandler = false };
var root = new RootCommand("Private PostgreSQL and RabbitMQ instances for tests, benchmarks and development.")
{
    EnsureCommand.Create(),
    RunCommand.Postgres(),
    RunCommand.Rabbit(),
};

try
{
    return await root.Parse(args).InvokeAsync(configuration);
}
catch (ServerException failure)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return 1;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("Cancelled.");
    return 130;
}
