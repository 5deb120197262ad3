using System.Text;
using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.Runtime.Store;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Access;

public sealed class AccessDeciderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(AccessTokenMade).Assembly));

    [Fact]
    public void A_token_is_made_with_its_role_and_its_end()
    {
        var made = Assert.IsType<AccessTokenMade>(Assert.Single(Decide(AccessState.Initial, Make("ann", Role.Operator, Now.AddDays(30)))));
        Assert.Equal(("ann", Role.Operator, "hash-ann", Now.AddDays(30), "root"), (made.Name, made.Role, made.Token, made.ExpiresAt, made.By));
        var token = Assert.Single(Fold(made).Tokens).Value;
        Assert.Equal((Role.Operator, "hash-ann"), (token.Role, token.Token));
        Assert.False(token.HasExpired(Now.AddDays(30).AddTicks(-1)));
        Assert.True(token.HasExpired(Now.AddDays(30)));
    }

    /// <summary>Two of one name could not be told apart in the record.</summary>
    [Theory]
    [InlineData("ann", "name-is-free")]
    [InlineData("file", "name-is-free")]
    public void A_name_that_somebody_has_is_refused(string name, string rule)
    {
        var state = Fold(Decide(AccessState.Initial, Make("ann", Role.Viewer, null)));
        Assert.Equal(rule, Failed(Decide(state, Make(name, Role.Viewer, null))));
    }

    [Fact]
    public void A_name_is_free_again_when_its_token_has_expired_or_was_revoked()
    {
        var expiring = Fold(Decide(AccessState.Initial, Make("ann", Role.Viewer, Now.AddDays(1))));
        Assert.IsType<AccessTokenMade>(Assert.Single(AccessDecider.Behaviour.Decide(expiring, Make("ann", Role.Operator, null), Now.AddDays(1))));
        var revoked = Fold([.. Decide(AccessState.Initial, Make("ann", Role.Viewer, null)), .. Decide(Fold(Decide(AccessState.Initial, Make("ann", Role.Viewer, null))), Revoke("ann"))]);
        Assert.Empty(revoked.Tokens);
        Assert.IsType<AccessTokenMade>(Assert.Single(Decide(revoked, Make("ann", Role.Operator, null))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(367)]
    public void A_life_that_has_passed_or_is_too_long_is_refused(int days) => Assert.Equal("life", Failed(Decide(AccessState.Initial, Make("ann", Role.Viewer, Now.AddDays(days)))));

    [Fact]
    public void There_is_an_end_to_their_number()
    {
        var state = Fold(Enumerable.Range(0, AccessDecider.TokensMax).SelectMany(n => Decide(AccessState.Initial, Make($"t{n}", Role.Viewer, null))));
        Assert.Equal("number", Failed(Decide(state, Make("one-more", Role.Viewer, null))));
    }

    [Fact]
    public void What_is_not_there_cannot_be_revoked()
    {
        Assert.Equal("known", Failed(Decide(AccessState.Initial, Revoke("ann"))));
        var revoked = Assert.IsType<AccessTokenRevoked>(Assert.Single(Decide(Fold(Decide(AccessState.Initial, Make("ann", Role.Viewer, null))), Revoke("ann"))));
        Assert.Equal(("ann", "hash-ann"), (revoked.Name, revoked.Token));
    }

    /// <summary>Whatever is ordered: decided twice it is the same, and state is the same from events as from their bytes; no name is there twice.</summary>
    [Fact]
    public void Decided_twice_it_is_the_same_and_its_bytes_tell_the_same_state()
    {
        var orders = Gen.ListOf(Gen.Choose(0, 5).SelectMany(name => Gen.Choose(0, 9).Select(what => (object)(what < 6
            ? Make($"t{name}", (Role)(1 + what % 3), what % 2 == 0 ? null : Now.AddDays(what - 2))
            : Revoke($"t{name}"))))).ToArbitrary();
        Check.QuickThrowOnFailure(Prop.ForAll(orders, inputs =>
        {
            var (state, read) = (AccessState.Initial, AccessState.Initial);
            foreach (var input in inputs)
            {
                var (once, twice) = (Decide(state, input), Decide(state, input));
                Assert.Equal(once.Select(e => Codec.Encode(e).Data.ToArray()), twice.Select(e => Codec.Encode(e).Data.ToArray()));
                foreach (var @event in once)
                {
                    state = AccessDecider.Behaviour.Fold.Apply(state, @event);
                    read = AccessDecider.Behaviour.Fold.Apply(read, JsonSerializer.Deserialize(Codec.Encode(@event).Data.Span, @event.GetType(), EventCodec.Json)!);
                }
                Assert.Equal(state.Tokens.AsEnumerable(), read.Tokens);
                Assert.All(state.Tokens, t => Assert.Equal(t.Key, t.Value.Name));
            }
        }));
    }

    private static MakeToken Make(string name, Role role, DateTimeOffset? expires) => new(Guid.Empty, name, role, $"hash-{name}", expires, "because", "root", ["file"]);

    private static RevokeToken Revoke(string name) => new(Guid.Empty, name, "because", "root");

    [Fact]
    public void Whatever_was_decided_is_decided_again_from_what_was_recorded_of_it()
    {
        var (state, random) = (AccessState.Initial, new Random(3));
        for (var i = 0; i < 400; i++)
        {
            object word = random.Next(3) == 0 ? Revoke($"n{random.Next(6)}") : Make($"n{random.Next(6)}", (Role)random.Next(1, 4), random.Next(2) == 0 ? null : Now.AddDays(random.Next(-2, 400)));
            word = word is MakeToken m && random.Next(4) == 0 ? m with { Reserved = [m.Name] } : word;
            var decided = Decide(state, word);
            var again = Decide(state, AccessDecider.InputOf(decided)!);
            Assert.Equal(decided.Select(e => $"{e.GetType().Name} {Encoding.UTF8.GetString(Codec.Encode(e).Data.Span)}"), again.Select(e => $"{e.GetType().Name} {Encoding.UTF8.GetString(Codec.Encode(e).Data.Span)}"));
            state = decided.Aggregate(state, AccessDecider.Behaviour.Fold.Apply);
        }
    }

    [Fact]
    public void What_was_refused_before_it_was_kept_whole_is_read_as_it_was_and_not_decided_again()
    {
        var old = JsonSerializer.Deserialize<AccessTokenRefused>("""{"Request":"00000000-0000-0000-0000-000000000001","Name":"n","By":"anna","Verdicts":[]}""", EventCodec.Json)!;
        Assert.Null(AccessDecider.InputOf([old]));
        Assert.DoesNotContain("Asked", Encoding.UTF8.GetString(Codec.Encode(old).Data.Span), StringComparison.Ordinal);
    }

    private static IReadOnlyList<object> Decide(AccessState state, object input) => AccessDecider.Behaviour.Decide(state, input, Now);

    private static AccessState Fold(params IEnumerable<object> events) => events.Aggregate(AccessState.Initial, AccessDecider.Behaviour.Fold.Apply);

    private static string Failed(IReadOnlyList<object> events) => Assert.Single(Assert.IsType<AccessTokenRefused>(Assert.Single(events)).Verdicts, v => !v.Passed).Rule;
}
