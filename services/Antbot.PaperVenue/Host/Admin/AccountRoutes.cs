using System.Text.Json;
using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>Accounts and what they hold.</summary>
internal sealed class AccountRoutes(Venue venue, Keys keys, KeyFile files, PaperVenueOptions options)
{
    private VenueRules Rules => venue.Rules;

    public Task<byte[]> AccountsAsync() => venue.ReadAsync((exchange, _) => Json.Write(json =>
    {
        json.WriteStartArray();
        foreach (var account in exchange.Accounts.Append(exchange.House))
            WriteAccount(json, account);
        json.WriteEndArray();
    }));

    public async Task<byte[]> OpenAccountAsync(Body body)
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

    public Task<byte[]> DepositAsync(Body body)
    {
        var (name, asset, amount) = (body.NeedText("account"), Asset(body.NeedText("asset")), Words.Amount(body.NeedText("amount")));
        return ChangeAccountAsync(name, (exchange, account, now) => Deposit(exchange, account, asset, amount, now));
    }

    public Task<byte[]> SetBalancesAsync(Body body)
    {
        var (name, balances) = (body.NeedText("account"), Amounts(body, "balances"));
        return ChangeAccountAsync(name, (exchange, account, now) =>
        {
            foreach (var (asset, amount) in balances)
                Deposit(exchange, account, asset, amount - account.Balances[asset].Free, now);
        });
    }

    /// <summary>As it was opened: no open orders, and the first deposits. What it did stays in the ledger.</summary>
    public Task<byte[]> ResetAsync(Body body) => ChangeAccountAsync(body.NeedText("account"), (exchange, account, now) =>
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

    public void WriteAccount(Utf8JsonWriter json, Account account)
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

    private static void Deposit(Exchange exchange, Account account, int asset, Fixed8 amount, long now)
    {
        if (!amount.IsZero && !exchange.Deposit(account, asset, amount, now))
            throw new ApiException(-1013, "The balance would be below zero, or larger than the venue can count.");
    }

    private List<(int Asset, Fixed8 Amount)> Amounts(Body body, string name) => [.. body.Texts(name).Select(p => (Asset(p.Name), Words.Amount(p.Value)))];

    private int Asset(string name) => Rules.FindAsset(name) ?? throw new ApiException(-1102, $"The asset is not traded here; assets are {string.Join(", ", Rules.Assets)}.");
}
