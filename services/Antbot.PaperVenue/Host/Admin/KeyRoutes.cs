using System.Text.Json;
using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>Keys of accounts and what their holders may do.</summary>
internal sealed class KeyRoutes(Venue venue, Keys keys, KeyFile files)
{
    private const int MaxKeys = 20;

    /// <summary>Without the secrets: they were told when the keys were made, and are in their files.</summary>
    public void WriteKeys(Utf8JsonWriter json)
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

    public async Task<byte[]> AddKeyAsync(Body body)
    {
        var account = body.NeedText("account");
        var id = await venue.ReadAsync((exchange, _) => exchange.FindAccount(account)?.Id) ?? throw new ApiException(-1102, "There is no account of this name.", 404);
        if (keys.All.Count(k => k.Account == id) >= MaxKeys)
            throw new ApiException(-1003, $"The account has {MaxKeys} keys already; remove some.");
        var may = body.FindTexts("permissions") is { } names
            ? names.Aggregate(Permissions.None, (all, name) => all | Words.Named<Permissions>(name, "permissions"))
            : Permissions.Read | Permissions.Trade;
        var publicKey = body.FindText("publicKey");
        if (publicKey is not null && !Ed25519.TryReadPublicKey(publicKey, out _))
            throw new ApiException(-1102, "'publicKey' is the public half of an Ed25519 key in PEM, as 'openssl pkey -pubout' writes it.");
        var key = new ApiKey(account, KeyFile.NewKey(), publicKey is null ? KeyFile.NewKey() : "") { Permissions = may, PublicKey = publicKey };
        files.SaveFurther(key);
        keys.Add(key, id);
        return Json.Write(json => WriteKey(json, key, withSecret: true));
    }

    public byte[] RemoveKey(string apiKey)
    {
        if (keys.FindKey(apiKey) is not { } key)
            throw new ApiException(-1102, "There is no such key.", 404);
        if (!File.Exists(files.PathOf(key)))
            throw new ApiException(-1102, "An account's first key stays; it was made with the account.", 409);
        files.Remove(key);
        keys.Remove(apiKey);
        return Json.Write(WriteKeys);
    }
}
