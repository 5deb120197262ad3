using Antbot.Hosting;
using Antbot.Testing.Service;

// A service as small as one can be, for tests of the host: it takes a wish over HTTP, sends it over the bus, records it, and tells
// the next service, which records it too. TEST_MODULES says which of the two live in this process.
var modules = (Environment.GetEnvironmentVariable("TEST_MODULES") ?? "execution,risk").Split(',');
return await ServiceHost.RunAsync(args, [.. modules.Select(m => m == "risk" ? (IServiceModule)new SecondModule() : new FirstModule())]);
