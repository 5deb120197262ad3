using System.Net;
using System.Net.Sockets;
using Antbot.ConsoleService;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>A service's name stands for as many instances as there are: one that is asked for all would hide the others.</summary>
public sealed class ServiceHealthTests
{
    [Theory]
    [InlineData("http://risk:8080/readyz", "10.0.0.1 10.0.0.2 10.0.0.3", "http://10.0.0.1:8080/readyz http://10.0.0.2:8080/readyz http://10.0.0.3:8080/readyz")]
    [InlineData("http://risk:8080/", "10.0.0.1", "http://risk:8080/")]
    [InlineData("http://risk:8080/", "fd00::1 10.0.0.1 fd00::2", "http://[fd00::1]:8080/ http://[fd00::2]:8080/")]
    [InlineData("http://localhost:8080/", "::1 127.0.0.1", "http://localhost:8080/")]
    [InlineData("http://127.0.0.1:8080/", "10.0.0.1 10.0.0.2", "http://127.0.0.1:8080/")]
    public async Task Each_instance_behind_a_name_is_asked(string address, string found, string asked) =>
        Assert.Equal(asked, string.Join(' ', await ServiceHealth.EachAsync(new Uri(address), (_, _) => Task.FromResult(found.Split(' ').Select(IPAddress.Parse).ToArray()), TestContext.Current.CancellationToken)));

    [Fact]
    public async Task A_name_that_nobody_knows_is_asked_by_itself() =>
        Assert.Equal("http://risk:8080/", string.Join(' ', await ServiceHealth.EachAsync(new Uri("http://risk:8080/"), (_, _) => throw new SocketException(), TestContext.Current.CancellationToken)));
}
