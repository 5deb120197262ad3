using Antbot.Hosting;
using Antbot.Validation;

return await ServiceHost.RunAsync(args, new ValidationModule());
