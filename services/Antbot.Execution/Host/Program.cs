using Antbot.Execution;
using Antbot.Hosting;

return await ServiceHost.RunAsync(args, new ExecutionModule());
