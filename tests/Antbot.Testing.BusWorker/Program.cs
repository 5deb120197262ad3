using System.Globalization;
using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Antbot.Testing.BusWorker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// A consumer in a process of its own, for tests that kill it: it takes messages of Execution's endpoint and never finishes one.
// Arguments: the bus address, the prefetch. It says "took <message id>" for each, and ends when its input does.
if (args.Length != 2)
{
    await Console.Error.WriteLineAsync("usage: <bus address> <prefetch>");
    return 64;
}
var builder = Host.CreateEmptyApplicationBuilder(settings: null);
var catalog = new EndpointCatalog();
catalog.Add<CloseTrade, TakesAndNeverFinishes>(Routes.Execution);
builder.Services.AddSingleton<TakesAndNeverFinishes>();
builder.Services.AddAntbotBus(new BusOptions { Address = args[0], Prefetch = int.Parse(args[1], CultureInfo.InvariantCulture), Name = "bus worker" }, catalog);
using var host = builder.Build();
await host.StartAsync();
while (await Console.In.ReadLineAsync() is not null)
{
}
return 0;
