using Antbot.Hosting;
using Antbot.Risk;

return await ServiceHost.RunAsync(args, new RiskModule());
