using Antbot.Testing.PlainPipeline;
using MassTransit;
using Npgsql;

// The plain MassTransit way, for the benchmark to stand beside: the same messages over the same number of hops in the same number
// of processes, a row for each trade and one transaction for each message.
// Argument: the service, or "schema" to make its tables. In the environment: PLAIN_DATABASE, PLAIN_BROKER (amqp://…), PLAIN_VENUE, PLAIN_KEY, PLAIN_SECRET, PLAIN_LISTEN.
if (args.Length != 1)
{
    await Console.Error.WriteLineAsync("usage: schema|signal|coordinator|validation|risk|execution|reconciliation");
    return 64;
}
var service = args[0];
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseSetting("urls", Setting("PLAIN_LISTEN"));
await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Setting("PLAIN_DATABASE")) { MaxPoolSize = 80, MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 });
if (service == "schema")
{
    using var sql = new StreamReader(typeof(PlainTrade).Assembly.GetManifestResourceStream("Antbot.Testing.PlainPipeline.PlainSchema.sql")!);
    await using var command = source.CreateCommand(await sql.ReadToEndAsync());
    await command.ExecuteNonQueryAsync();
    return 0;
}
builder.Services.AddSingleton(source);
builder.Services.AddSingleton(_ => new PlainVenue(new Uri(Setting("PLAIN_VENUE")), Setting("PLAIN_KEY"), Setting("PLAIN_SECRET")));
builder.Services.AddSingleton<PositionCloser>();
builder.Services.AddMassTransit(registration =>
{
    registration.AddConsumer<ValidateConsumer>();
    registration.AddConsumer<RiskConsumer>();
    registration.AddConsumer<ExecuteConsumer>();
    registration.AddConsumer<VerifyConsumer>();
    registration.UsingRabbitMq((context, bus) =>
    {
        bus.Host(new Uri(Setting("PLAIN_BROKER")));
        if (service == "signal")
            return;
        bus.ReceiveEndpoint($"plain-{service}", endpoint =>
        {
            endpoint.SetQuorumQueue();
            endpoint.PrefetchCount = 64;
            endpoint.ConcurrentMessageLimit = 64;
            endpoint.UseMessageRetry(retry => retry.Intervals(50, 200, 500, 1_000));
            endpoint.UseInMemoryOutbox(context);
            Configure(endpoint, context);
        });
    });
});
await using var app = builder.Build();
app.MapGet("/ready", (IBusControl bus) => bus.CheckHealth().Status == BusHealthStatus.Healthy ? Results.Ok() : Results.StatusCode(StatusCodes.Status503ServiceUnavailable));
if (service == "signal")
    SignalRoute.Map(app, source);
await app.RunAsync();
return 0;

void Configure(IReceiveEndpointConfigurator endpoint, IRegistrationContext context)
{
    switch (service)
    {
        case "coordinator":
            endpoint.StateMachineSaga(new PlainTradeMachine(), new PlainTradeRepository(source));
            break;
        case "validation":
            endpoint.ConfigureConsumer<ValidateConsumer>(context);
            break;
        case "risk":
            endpoint.ConfigureConsumer<RiskConsumer>(context);
            break;
        case "execution":
            endpoint.ConfigureConsumer<ExecuteConsumer>(context);
            break;
        case "reconciliation":
            endpoint.ConfigureConsumer<VerifyConsumer>(context);
            break;
        default:
            throw new InvalidOperationException($"There is no service '{service}'.");
    }
}

static string Setting(string name) => Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set.");
