using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Http;
using Antbot.PaperVenue.Journal;
using Microsoft.AspNetCore.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>What a test or an operator does to the venue itself, with a key of its own: faults, accounts, prices, and the ledger as it is.</summary>
internal sealed class AdminApi(Venue venue, FaultPlan faults, Keys keys, KeyFile files, PaperVenueOptions options, string adminKey, WrongClock clock)
{
    private const int MaxBodyBytes = 64 << 10;
    private const int LedgerPage = 500;
    private const int MaxKeys = 20;

    private readonly byte[] _key = Encoding.UTF8.GetBytes(adminKey);

    private VenueRules Rules => venue.Rules;

    public async Task AnswerAsync(HttpContext context)
    {
        try
        {
            var remote = context.Connection.RemoteIpAddress;
            if (!options.RemoteAdmin && (remote is null || !IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote)))
                throw new ApiException(-2015, "The admin routes answer to this machine alone.", 403);
            if (!CryptographicOperations.FixedTimeEquals(_key, Encoding.UTF8.GetBytes(context.Request.Headers["X-Admin-Key"].ToString())))
                throw new ApiException(-2015, "X-Admin-Key is missing or wrong.", 401);
            await HandleAsync(context);
        }
        catch (ApiException e)
        {
            await VenueApi.ErrorAsync(context, e.Status, e.Code, e.Message);
        }
        catch (JsonException)
        {
            await VenueApi.ErrorAsync(context, 400, -1102, "The body is no JSON object of the right form.");
        }
        catch (Exception e) when (e is VenueUnavailableException or JournalException)
        {
            await VenueApi.ErrorAsync(context, 503, -1008, e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone.
        }
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        var body = HttpMethods.IsPost(request.Method) ? Body.Parse(await VenueApi.ReadBodyAsync(context, MaxBodyBytes)) : Body.Empty;
        var answer = (request.Method, request.Path.Value) switch
        {
            ("GET", "/admin/status") => await StatusAsync(),
            ("GET", "/admin/faults") => Json.Write(WriteFaults),
            ("POST", "/admin/faults") => AddFault(body),
            ("DELETE", "/admin/faults") => RemoveFaults(request.Query["id"].ToString()),
            ("POST", "/admin/away") => GoAway(body),
            ("POST", "/admin/clock") => SetClockOff(body),
            ("GET", "/admin/accounts") => await AccountsAsync(),
            ("POST", "/admin/accounts") => await OpenAccountAsync(body),
            ("GET", "/admin/keys") => Json.Write(WriteKeys),
            ("POST", "/admin/keys") => await AddKeyAsync(body),
            ("DELETE", "/admin/keys") => RemoveKey(request.Query["apiKey"].ToString()),
            ("POST", "/admin/deposit") => await DepositAsync(body),
            ("POST", "/admin/balances") => await SetBalancesAsync(body),
            ("POST", "/admin/reset") => await ResetAsync(body),
            ("POST", "/admin/market") => await DirectAsync(body),
            ("GET", "/admin/scenario") => await ScenarioAsync(),
            ("POST", "/admin/scenario") => await ChooseAsync(body),
            ("GET", "/admin/ledger") => null,
            _ => throw new ApiException(-1000, "There is no such admin route.", 404),
        };
        if (answer is null)
            await LedgerAsync(context);
        else
            await VenueApi.WriteAsync(context, 200, answer);
    }

    private Task<byte[]> StatusAsync() => venue.ReadAsync((exchange, now) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("time", now).Field("accounts", exchange.Accounts.Count()).Field("orders", exchange.OrderCount).Field("forgotten", exchange.Forgotten)
            .Field("openOrders", exchange.Accounts.Sum(a => a.OpenOrderCount)).Field("listeners", venue.Hub.ListenerCount).Field("journalBytes", venue.JournalBytes)
            .Field("journalSyncs", venue.JournalSyncs);
        json.WriteString("trouble", venue.Trouble);
        json.WriteStartArray("notes");
        foreach (var note in venue.Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
        json.WriteStartObject("struck");
        foreach (var (kind, count) in faults.Struck)
            json.Field(Name(kind), count);
        json.WriteEndObject();
        json.WritePropertyName("faults");
        WriteFaults(json);
        json.WriteEndObject();
    }));

    private void WriteFaults(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var fault in faults.All)
            WriteFault(json, fault);
        json.WriteEndArray();
    }

    private static void WriteFault(Utf8JsonWriter json, Fault fault)
    {
        json.WriteStartObject();
        json.Field("id", fault.Id).Field("kind", Name(fault.Kind)).Field("route", fault.Group is { } group ? Name(group) : "all");
        json.WriteNumber("probability", fault.Probability);
        if (fault.Left is { } left)
            json.Field("left", left);
        json.Field("ms", fault.Milliseconds).Field("status", fault.Status);
        json.WriteNumber("ratio", fault.Ratio);
        json.WriteEndObject();
    }

    private byte[] AddFault(Body body)
    {
        NeedFaults();
        var kind = Named<FaultKind>(body.NeedText("kind"), "kind");
        var group = body.FindText("route") is { } route && route != "all" ? Named<RouteGroup>(route, "route") : (RouteGroup?)null;
        var milliseconds = kind switch { FaultKind.Delay or FaultKind.DelayAnswer or FaultKind.LateReport or FaultKind.LateFill or FaultKind.BustedFill => 1_000, FaultKind.RateLimit => 5_000, _ => 60_000 };
        var status = body.Whole("status", kind == FaultKind.RateLimit ? 429 : 500, 400, 599);
        var fault = new Fault(
            0, kind, group, body.Number("probability", 1, 0, 1), body.Has("count") ? body.Whole("count", 1, 1, 1_000_000) : null,
            body.Has("seconds") ? clock.GetUtcNow().AddSeconds(body.Whole("seconds", 1, 1, 86_400)) : null,
            body.Whole("ms", milliseconds, 0, 600_000), status, body.Number("ratio", 0.5, 0, 1));
        var added = faults.Add(fault) ?? throw new ApiException(-1003, "There are too many faults already; remove some.");
        return Json.Write(json => WriteFault(json, added));
    }

    private byte[] RemoveFaults(string id)
    {
        if (id.Length == 0)
            faults.Clear();
        else if (!int.TryParse(id, out var number) || !faults.Remove(number))
            throw new ApiException(-1102, "There is no fault with this id.", 404);
        return Json.Write(WriteFaults);
    }

    private byte[] GoAway(Body body)
    {
        NeedFaults();
        var resets = body.FindText("mode") switch
        {
            null or "503" => false,
            "reset" => true,
            _ => throw new ApiException(-1102, "'mode' is '503' or 'reset'."),
        };
        faults.GoAway(TimeSpan.FromSeconds(body.Number("seconds", 5, 0, 86_400)), resets);
        venue.Hub.CutAll();
        return "{}"u8.ToArray();
    }

    private byte[] SetClockOff(Body body)
    {
        NeedFaults();
        clock.SetOff(TimeSpan.FromMilliseconds(body.Whole("ms", 0, -86_400_000, 86_400_000)));
        return "{}"u8.ToArray();
    }

    private Task<byte[]> AccountsAsync() => venue.ReadAsync((exchange, _) => Json.Write(json =>
    {
        json.WriteStartArray();
        foreach (var account in exchange.Accounts.Append(exchange.House))
            WriteAccount(json, account);
        json.WriteEndArray();
    }));

    private void WriteAccount(Utf8JsonWriter json, Account account)
    {
        json.WriteStartObject();
        json.Field("account", account.Name).Field("id", account.Id);
        json.WriteStartObject("balances");
        for (var asset = 0; asset < account.Balances.Length; asset++)
        {
            json.WriteStartObject(Rules.Assets[asset]);
            json.Number("free", account.Balances[asset].Free).Number("locked", account.Balances[asset].Locked);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private async Task<byte[]> OpenAccountAsync(Body body)
    {
        var name = body.NeedText("name");
        if (name.Length > 32 || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            throw new ApiException(-1102, "'name' is 1 to 32 small letters, digits and hyphens.");
        var deposits = Amounts(body, "deposits");
        var account = await venue.ChangeAsync((exchange, now) =>
        {
            if (exchange.FindAccount(name) is not null || name == exchange.House.Name)
                throw new ApiException(-1102, $"There is an account '{name}' already.", 409);
            if (exchange.Accounts.Count() >= Rules.MaxAccounts)
                throw new ApiException(-1003, $"There are {Rules.MaxAccounts} accounts already.");
            var opened = exchange.OpenAccount(name, now);
            foreach (var (asset, amount) in deposits)
                Deposit(exchange, opened, asset, amount, now);
            return opened.Id;
        });
        var key = files.LoadOrCreate(name);
        keys.Add(key, account);
        return Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("account", name).Field("id", account).Field("apiKey", key.Key).Field("apiSecret", key.Secret).Field("keyFile", files.PathOf(name));
            json.WriteEndObject();
        });
    }

    /// <summary>Without the secrets: they were told when the keys were made, and are in their files.</summary>
    private void WriteKeys(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var (key, _) in keys.All.OrderBy(k => k.Account).ThenBy(k => k.Key.Key, StringComparer.Ordinal))
            WriteKey(json, key, withSecret: false);
        json.WriteEndArray();
    }

    private static void WriteKey(Utf8JsonWriter json, ApiKey key, bool withSecret)
    {
        json.WriteStartObject();
        json.Field("account", key.Account).Field("apiKey", key.Key);
        if (withSecret && key.Secret.Length > 0)
            json.Field("apiSecret", key.Secret);
        json.Field("signature", key.PublicKey is null ? "HMAC" : "Ed25519");
        json.WriteStartArray("permissions");
        foreach (var name in KeyFile.Names(key.Permissions))
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private async Task<byte[]> AddKeyAsync(Body body)
    {
        var account = body.NeedText("account");
        var id = await venue.ReadAsync((exchange, _) => exchange.FindAccount(account)?.Id) ?? throw new ApiException(-1102, "There is no account of this name.", 404);
        if (keys.All.Count(k => k.Account == id) >= MaxKeys)
            throw new ApiException(-1003, $"The account has {MaxKeys} keys already; remove some.");
        var may = body.FindTexts("permissions") is { } names
            ? names.Aggregate(Permissions.None, (all, name) => all | Named<Permissions>(name, "permissions"))
            : Permissions.Read | Permissions.Trade;
        var publicKey = body.FindText("publicKey");
        if (publicKey is not null && !Ed25519.TryReadPublicKey(publicKey, out _))
            throw new ApiException(-1102, "'publicKey' is the public half of an Ed25519 key in PEM, as 'openssl pkey -pubout' writes it.");
        var key = new ApiKey(account, KeyFile.NewKey(), publicKey is null ? KeyFile.NewKey() : "") { Permissions = may, PublicKey = publicKey };
        files.SaveFurther(key);
        keys.Add(key, id);
        return Json.Write(json => WriteKey(json, key, withSecret: true));
    }

    private byte[] RemoveKey(string apiKey)
    {
        if (keys.FindKey(apiKey) is not { } key)
            throw new ApiException(-1102, "There is no such key.", 404);
        if (!File.Exists(files.PathOf(key)))
            throw new ApiException(-1102, "An account's first key stays; it was made with the account.", 409);
        files.Remove(key);
        keys.Remove(apiKey);
        return Json.Write(WriteKeys);
    }

    private Task<byte[]> DepositAsync(Body body)
    {
        var (name, asset, amount) = (body.NeedText("account"), Asset(body.NeedText("asset")), Amount(body.NeedText("amount")));
        return ChangeAccountAsync(name, (exchange, account, now) => Deposit(exchange, account, asset, amount, now));
    }

    private Task<byte[]> SetBalancesAsync(Body body)
    {
        var (name, balances) = (body.NeedText("account"), Amounts(body, "balances"));
        return ChangeAccountAsync(name, (exchange, account, now) =>
        {
            foreach (var (asset, amount) in balances)
                Deposit(exchange, account, asset, amount - account.Balances[asset].Free, now);
        });
    }

    /// <summary>As it was opened: no open orders, and the first deposits. What it did stays in the ledger.</summary>
    private Task<byte[]> ResetAsync(Body body) => ChangeAccountAsync(body.NeedText("account"), (exchange, account, now) =>
    {
        foreach (var order in account.OpenOrders)
            exchange.Cancel(order, OrderRequests.NewClientId(), now);
        for (var asset = 0; asset < account.Balances.Length; asset++)
        {
            var amount = options.Deposits.TryGetValue(Rules.Assets[asset], out var text) ? Fixed8.Parse(text) : Fixed8.Zero;
            Deposit(exchange, account, asset, amount - account.Balances[asset].Free, now);
        }
    });

    private Task<byte[]> ChangeAccountAsync(string name, Action<Exchange, Account, long> change) => venue.ChangeAsync((exchange, now) =>
    {
        var account = exchange.FindAccount(name) ?? throw new ApiException(-1102, $"There is no account of this name.", 404);
        change(exchange, account, now);
        return Json.Write(json => WriteAccount(json, account));
    });

    private async Task<byte[]> DirectAsync(Body body)
    {
        var instrument = Rules.Find(body.NeedText("symbol")) ?? throw ApiException.BadSymbol();
        var price = body.FindText("price") is { } text ? Amount(text).FloorTo(instrument.Tick) : (Fixed8?)null;
        if (price is { } given && (given < new Fixed8(instrument.Tick.Units * 100) || given > instrument.MaxPrice))
            throw new ApiException(-1013, "Filter failure: PRICE_FILTER");
        var freeze = body.Flag("frozen") ?? (price is null ? throw ApiException.Missing("price") : true);
        await venue.ChangeAsync((exchange, now) =>
        {
            var market = exchange[instrument];
            var program = venue.Weather.Of(instrument, exchange, now).Middle;
            var current = price ?? (market.HeldAt.IsPositive ? market.HeldAt : program);
            // Let go, it moves on from where it is: the program goes on with it, and has moved it by as much as before.
            var usual = SyntheticMarket.Middle(instrument, options.Seed, now * options.Speed, market.Shift);
            var path = new Fixed8(Math.Max(instrument.Tick.Units, (long)((Int128)current.Units * usual.Units / program.Units)));
            exchange.Direct(instrument, freeze ? current : Fixed8.Zero, venue.ShiftTo(instrument, path, now), now);
            return 0;
        });
        venue.Move(instrument);
        return venue.Show(instrument, (market, _) => Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("symbol", instrument.Symbol).Field("frozen", market.HeldAt.IsPositive).Number("last", market.Last)
                .Number("bid", market.Bids.Best?.Price ?? Fixed8.Zero).Number("ask", market.Asks.Best?.Price ?? Fixed8.Zero);
            json.WriteEndObject();
        }));
    }

    private Task<byte[]> ScenarioAsync() => venue.ReadAsync((exchange, now) => Json.Write(json =>
    {
        var program = exchange.Program;
        json.WriteStartObject();
        json.Field("scenario", Hyphened(program.Scenario)).Field("since", program.Since).Field("seconds", program.Length / 1_000);
        if (program.File.Length > 0)
            json.Field("file", program.File);
        json.WriteStartArray("instruments");
        foreach (var instrument in Rules.Instruments)
        {
            var conditions = venue.Weather.Of(instrument, exchange, now);
            json.WriteStartObject();
            json.Field("symbol", instrument.Symbol).Number("middle", conditions.Middle).Field("depthPerMille", conditions.Depth).Field("volumePerMille", conditions.Volume)
                .Field("failedOrdersPerMille", conditions.FailedOrders).Field("gasGwei", conditions.GasGwei);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }));

    private async Task<byte[]> ChooseAsync(Body body)
    {
        var scenario = FindScenario(body.NeedText("scenario")) ?? throw new ApiException(-1102, $"'scenario' is one of {ScenarioNames}.");
        var file = body.FindText("file") ?? "";
        if (file.Length > 0 != (scenario == Scenario.Replay))
            throw new ApiException(-1102, "'file' is for a replay, and a replay needs it: the name of a candle file.");
        var length = body.Has("seconds") ? body.Whole("seconds", 1, 1, 86_400) * 1_000L : Scenarios.DefaultLength(scenario);
        try
        {
            if (scenario == Scenario.Replay)
                venue.Weather.Load(file);
        }
        catch (FormatException e)
        {
            throw new ApiException(-1102, e.Message);
        }
        await venue.ChooseAsync(scenario, length, file);
        return await ScenarioAsync();
    }

    public static string ScenarioNames => string.Join(", ", Enum.GetValues<Scenario>().Select(Hyphened));

    public static Scenario? FindScenario(string name)
    {
        foreach (var scenario in Enum.GetValues<Scenario>())
        {
            if (Hyphened(scenario) == name)
                return scenario;
        }
        return null;
    }

    private static string Hyphened(Scenario scenario) => JsonNamingPolicy.KebabCaseLower.ConvertName(scenario.ToString());

    /// <summary>Every account, order and fill that is remembered, a line each: for whoever wants to check what a client says of itself.</summary>
    private async Task LedgerAsync(HttpContext context)
    {
        context.Response.ContentType = "application/x-ndjson";
        var (accounts, forgotten, last) = await venue.ReadAsync((exchange, _) =>
            (exchange.Accounts.Append(exchange.House).Select(a => Line("account", json => WriteAccount(json, a))).ToList(), exchange.Forgotten, exchange.OrderCount));
        await context.Response.Body.WriteAsync(Line("ledger", json =>
        {
            json.WriteStartObject();
            json.Field("forgotten", forgotten);
            json.WriteEndObject();
        }));
        foreach (var line in accounts)
            await context.Response.Body.WriteAsync(line);
        for (var from = 1L; from <= last; from += LedgerPage)
        {
            var lines = await venue.ReadAsync((exchange, _) => exchange.OrdersFrom(from).TakeWhile(o => o.Id < from + LedgerPage).SelectMany(Lines).ToList());
            foreach (var line in lines)
                await context.Response.Body.WriteAsync(line, context.RequestAborted);
        }
    }

    private IEnumerable<byte[]> Lines(Order order) =>
        order.Fills.Select(f => Line("fill", json => json.WriteFill(f, Rules), order.Account)).Prepend(Line("order", json => json.WriteOrder(order), order.Account));

    private static byte[] Line(string kind, Action<Utf8JsonWriter> write, Account? account = null)
    {
        var line = Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("kind", kind);
            if (account is not null)
                json.Field("account", account.Name);
            json.WritePropertyName("entry");
            write(json);
            json.WriteEndObject();
        });
        return [.. line, (byte)'\n'];
    }

    private static void Deposit(Exchange exchange, Account account, int asset, Fixed8 amount, long now)
    {
        if (!amount.IsZero && !exchange.Deposit(account, asset, amount, now))
            throw new ApiException(-1013, "The balance would be below zero, or larger than the venue can count.");
    }

    private List<(int Asset, Fixed8 Amount)> Amounts(Body body, string name) => [.. body.Texts(name).Select(p => (Asset(p.Name), Amount(p.Value)))];

    private int Asset(string name) => Rules.FindAsset(name) ?? throw new ApiException(-1102, $"The asset is not traded here; assets are {string.Join(", ", Rules.Assets)}.");

    private static Fixed8 Amount(string text) =>
        Fixed8.TryParse(text, out var value) == NumberFault.None ? value : throw new ApiException(-1100, "An amount is a text of digits with at most 8 decimals.");

    private void NeedFaults()
    {
        if (!options.Faults)
            throw new ApiException(-1020, "Faults are switched off here; start the venue with them.", 403);
    }

    private static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static T Named<T>(string name, string parameter)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (Name(value) == name)
                return value;
        }
        throw new ApiException(-1102, $"'{parameter}' is one of {string.Join(", ", Enum.GetValues<T>().Select(Name))}.");
    }
}
