using Xunit;

namespace Antbot.Hosting.Tests.Telemetry;

public sealed class ConfigurationHashTests
{
    private static readonly Dictionary<string, string?> Settings = new()
    {
        ["store"] = "Host=localhost;Username=me;Password=a b&c",
        ["bus"] = "amqp://user:p%2Fw@localhost/",
        ["signal:apikey"] = "first=key-number-one",
        ["venue:secret"] = "venue-secret",
        ["risk:maxnotional"] = "1000",
    };

    [Theory]
    [InlineData("store", "Host=localhost;Username=me;Password=other")]
    [InlineData("bus", "amqp://user:x@localhost/")]
    [InlineData("signal:apikey", "second=key-number-two")]
    [InlineData("venue:secret", "")]
    [InlineData("Listen", "http://127.0.0.1:5555")]
    [InlineData("INSTANCE", "two")]
    public void Another_secret_or_place_is_the_same_configuration(string key, string value) => Assert.Equal(ConfigurationHash.Of(Settings), ConfigurationHash.Of(With(key, value)));

    [Theory]
    [InlineData("store", "Host=elsewhere;Username=me;Password=a b&c")]
    [InlineData("bus", "amqp://other:p%2Fw@localhost/")]
    [InlineData("risk:maxnotional", "1001")]
    [InlineData("risk:more", "1")]
    [InlineData("venue:secret", null)]
    public void Any_other_setting_is_another_one(string key, string? value) => Assert.NotEqual(ConfigurationHash.Of(Settings), ConfigurationHash.Of(With(key, value)));

    [Fact]
    public void How_a_name_is_written_and_in_which_order_changes_nothing() =>
        Assert.Equal(ConfigurationHash.Of(Settings), ConfigurationHash.Of(Settings.Reverse().ToDictionary(s => s.Key.ToUpperInvariant(), s => s.Value)));

    private static Dictionary<string, string?> With(string key, string? value) => new(Settings) { [key] = value };
}
