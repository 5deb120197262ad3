using Antbot.Cli;

return await CommandLine.RunAsync(args);
