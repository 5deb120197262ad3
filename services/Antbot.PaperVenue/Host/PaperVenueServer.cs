using System.Net;
using System.Net.Sockets;
using Antbot.PaperVenue.Admin;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Following;
using Antbot.PaperVenue.Http;
using Antbot.PaperVenue.Streams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Antbot.PaperVenue;

/// <summary>The venue, whole: started in any process, reached at <see cref="Address"/> as any exchange is.</summary>
public sealed class PaperVenueServer : IAsyncDisposable
{
    public const string MainAccount = "main";

    private static readonly object AdminEndpoint = new();
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(5);

    private readonly WebApplication _web;
    private readonly Venue _venue;
    private readonly RealMarket? _real;
    private readonly FileStream _folderLock;
    private int _stopped;

    private PaperVenueServer(WebApplication web, Venue venue, RealMarket? real, FileStream folderLock, ApiKey key, string adminKey, KeyFile files)
    {
        (_web, _venue, _real, _folderLock, Key, AdminKey) = (web, venue, real, folderLock, key, adminKey);
        (KeyFilePath, AdminFilePath) = (files.PathOf(key.Account), files.AdminPath);
        (Address, AdminAddress) = AddressesOf(web);
    }

    public Uri Address { get; }

    /// <summary>Of the admin routes.</summary>
    public Uri AdminAddress { get; }

    /// <summary>Of the first account.</summary>
    public ApiKey Key { get; }

    /// <summary>For the header X-Admin-Key.</summary>
    public string AdminKey { get; }

    public string KeyFilePath { get; }

    public string AdminFilePath { get; }

    /// <summary>What start-up found that an operator should know, such as a torn end of the journal.</summary>
    public IReadOnlyList<string> Notes => _venue.Notes;

    /// <summary>Why the market that is followed has no prices; null while it has, and where none is followed.</summary>
    public string? MarketTrouble => _real?.Trouble;

    /// <exception cref="PaperVenueException">Every fault of the options, or why the folder or the port cannot be used.</exception>
    public static async Task<PaperVenueServer> StartAsync(PaperVenueOptions options, TimeProvider clock, ILoggerFactory? logging = null, CancellationToken cancellationToken = default)
    {
        if (options.Validate() is { Count: > 0 } faults)
            throw new PaperVenueOptionsException(faults);
        var log = (logging ?? NullLoggerFactory.Instance).CreateLogger("Antbot.PaperVenue");
        var folderLock = LockFolder(options.Data);
        Venue? venue = null;
        RealMarket? real = null;
        try
        {
            var files = new KeyFile(options.Data);
            // By the true clock, and by the wrong one everything of its own.
            real = options.Follow is { } followed ? new RealMarket(followed, options.Rules, clock, log, Path.Combine(options.Data, "told-to-wait.json")) : null;
            var wrong = new WrongClock(clock);
            clock = wrong;
            var plan = new FaultPlan(options.Seed, clock);
            var hub = new StreamHub(plan, clock, options.ListenKeyLife);
            var past = real is null ? null : await real.FirstAsync(cancellationToken);
            venue = new Venue(options, clock, hub, plan, log, real, past);
            var keys = new Keys(clock);
            var key = await OpenAccountsAsync(venue, keys, files, options);
            await BeginAsync(venue, options);
            var adminKey = files.LoadAdmin(options.AdminKey);
            var limits = new RateLimits(options, clock);
            var routes = new MarketRoutes(venue, options).All.Concat(new TradingRoutes(venue, hub, limits, options).All).Concat(new OrderListRoutes(venue).All).Concat(new WalletRoutes(venue).All);
            var gateway = new Gateway(routes, limits, plan, keys, clock, log);
            var admin = new AdminApi(venue, plan, keys, files, options, adminKey, wrong);
            var web = Build(options, logging, new VenueApi(gateway), admin, new StreamApi(hub, gateway, keys, options, clock));
            await ListenAsync(web, options, cancellationToken);
            files.SaveAdmin(adminKey, AddressesOf(web).Admin);
            venue.Start();
            return new PaperVenueServer(web, venue, real, folderLock, key, adminKey, files);
        }
        catch (Exception e)
        {
            if (real is not null)
                await real.DisposeAsync();
            if (venue is not null)
                await venue.DisposeAsync();
            await folderLock.DisposeAsync();
            if (e is IOException or UnauthorizedAccessException)
                throw new PaperVenueException($"The data folder {options.Data} cannot be used: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Takes no more requests, finishes those under way, writes the state down and ends.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
            return;
        _venue.Hub.CutAll();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StopWithin);
        await _web.StopAsync(limit.Token);
        await _web.DisposeAsync();
        if (_real is not null)
            await _real.DisposeAsync();
        await _venue.DisposeAsync();
        await _folderLock.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private static FileStream LockFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(Path.Combine(folder, "venue.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PaperVenueException($"The data folder {folder} cannot be used: {e.Message} Is another venue running on it?", e);
        }
    }

    private static async Task<ApiKey> OpenAccountsAsync(Venue venue, Keys keys, KeyFile files, PaperVenueOptions options)
    {
        var accounts = await venue.ChangeAsync((exchange, now) =>
        {
            if (exchange.FindAccount(MainAccount) is null)
            {
                var main = exchange.OpenAccount(MainAccount, now);
                foreach (var (asset, amount) in options.Deposits)
                    exchange.Deposit(main, options.Rules.FindAsset(asset)!.Value, Fixed8.Parse(amount), now);
            }
            return exchange.Accounts.Select(a => (a.Name, a.Id)).ToList();
        });
        var ids = accounts.ToDictionary(a => a.Name, a => a.Id, StringComparer.Ordinal);
        ApiKey? first = null;
        foreach (var (name, id) in accounts)
        {
            var isMain = name == MainAccount;
            var key = files.LoadOrCreate(name, isMain ? options.ApiKey : null, isMain ? options.ApiSecret : null);
            keys.Add(key, id);
            if (isMain)
                first = key;
        }
        foreach (var key in files.LoadFurther().Where(k => ids.ContainsKey(k.Account)))
            keys.Add(key, ids[key.Account]);
        return first!;
    }

    private static async Task BeginAsync(Venue venue, PaperVenueOptions options)
    {
        if (options.Scenario is null)
            return;
        var scenario = ScenarioNames.Find(options.Scenario)!.Value;
        try
        {
            if (options.ReplayFile is { } file)
                venue.Weather.Load(file);
        }
        catch (FormatException e)
        {
            throw new PaperVenueException($"{options.ReplayFile} cannot be replayed: {e.Message}", e);
        }
        var (inForce, played) = await venue.ReadAsync((exchange, _) => (exchange.Program.Scenario, exchange.Program.File));
        // After a restart it goes on where it was.
        if (inForce != scenario || played != (options.ReplayFile ?? ""))
            await venue.ChooseAsync(scenario, Scenarios.DefaultLength(scenario), options.ReplayFile ?? "");
    }

    /// <summary>In the order in which they were asked for.</summary>
    private static (Uri Venue, Uri Admin) AddressesOf(WebApplication web)
    {
        var addresses = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return (new Uri(addresses.First()), new Uri(addresses.Last()));
    }

    private static WebApplication Build(PaperVenueOptions options, ILoggerFactory? logging, VenueApi api, AdminApi admin, StreamApi streams)
    {
        // Empty: no configuration of the surrounding process changes this one.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        if (logging is not null)
            builder.Services.AddSingleton(logging);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            var address = IPAddress.Parse(options.Listen);
            kestrel.Listen(address, options.Port);
            kestrel.Listen(options.RemoteAdmin ? address : IPAddress.Loopback, options.AdminPort, endpoint => endpoint.Use(next => connection =>
            {
                connection.Items[AdminEndpoint] = true;
                return next(connection);
            }));
            kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
            kestrel.Limits.MaxConcurrentUpgradedConnections = options.MaxStreamConnections;
            kestrel.Limits.MaxRequestBodySize = 128 << 10;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Limits.MaxRequestHeaderCount = 64;
            kestrel.Limits.MaxRequestLineSize = 8 << 10;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        });
        var web = builder.Build();
        web.UseWebSockets(new WebSocketOptions { KeepAliveInterval = options.PingEvery, KeepAliveTimeout = options.PongWithin });
        web.Run(context => context.Request.Path.Value switch
        {
            _ when context.Features.GetRequiredFeature<IConnectionItemsFeature>().Items.ContainsKey(AdminEndpoint) => admin.AnswerAsync(context),
            { } path when path is "/stream" or "/ws" or "/ws-api/v3" || path.StartsWith("/ws/", StringComparison.Ordinal) => streams.AnswerAsync(context),
            _ => api.AnswerAsync(context),
        });
        return web;
    }

    private static async Task ListenAsync(WebApplication web, PaperVenueOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await web.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await web.DisposeAsync();
            throw new PaperVenueException($"{options.Listen}:{options.Port}, or port {options.AdminPort} for the admin routes, cannot be listened on: {e.Message} Choose another port, or 0 for any that is free.", e);
        }
    }
}
