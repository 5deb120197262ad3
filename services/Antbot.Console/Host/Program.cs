using Antbot.ConsoleService;
using Antbot.Hosting;

return await ServiceHost.RunAsync(args, new ConsoleModule());
