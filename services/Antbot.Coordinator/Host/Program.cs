using Antbot.Coordinator;
using Antbot.Hosting;

return await ServiceHost.RunAsync(args, new CoordinatorModule());
