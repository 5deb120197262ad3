using System.CommandLine;
using Antbot.Watchdog;

var root = new RootCommand("Starts every service of the platform as a process of its own, keeps them running, and ends them in order.") { UpCommand.Create(), DownCommand.Create() };
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(90) });
