using System.Runtime.Versioning;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Proof;

[UnsupportedOSPlatform("windows")]
public sealed class SigningKeyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-key-").FullName;

    private string KeyFile => Path.Combine(_folder, "keys", "signing.key");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_first_run_makes_a_key_that_only_its_owner_can_read_and_the_next_ones_use_it()
    {
        using var first = SigningKey.LoadOrCreate(KeyFile);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal(first.Public.Id, PublicKey.Load(SigningKey.PublicFileOf(KeyFile)).Id);
        Assert.DoesNotContain("PRIVATE", File.ReadAllText(SigningKey.PublicFileOf(KeyFile)), StringComparison.Ordinal);

        using var second = SigningKey.LoadOrCreate(KeyFile);
        Assert.Equal(first.Public.Id, second.Public.Id);
        Assert.True(first.Public.Verify("x"u8, second.Sign("x"u8)));
        Assert.False(first.Public.Verify("y"u8, second.Sign("x"u8)));
        Assert.Equal(2, Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(KeyFile)!).Count());
    }

    [Fact]
    public async Task Of_many_first_runs_at_once_one_makes_the_key()
    {
        var keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            using var key = SigningKey.LoadOrCreate(KeyFile);
            return key.Public.Id;
        })));
        Assert.Equal(PublicKey.Load(SigningKey.PublicFileOf(KeyFile)).Id, Assert.Single(keys.Distinct()));
    }

    /// <summary>Prevents signatures that nobody checks: without the public half beside the key, a verification goes without.</summary>
    [Fact]
    public void A_public_half_that_is_missing_is_made_again_from_the_same_key()
    {
        using var first = SigningKey.LoadOrCreate(KeyFile);
        File.Delete(SigningKey.PublicFileOf(KeyFile));
        using var second = SigningKey.LoadOrCreate(KeyFile);
        Assert.Equal(first.Public.Id, PublicKey.Load(SigningKey.PublicFileOf(KeyFile)).Id);
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void A_key_that_others_can_read_or_change_signs_nothing(UnixFileMode more)
    {
        SigningKey.LoadOrCreate(KeyFile).Dispose();
        File.SetUnixFileMode(KeyFile, File.GetUnixFileMode(KeyFile) | more);
        var refused = Assert.Throws<EventStoreException>(() => SigningKey.LoadOrCreate(KeyFile));
        Assert.Equal(StoreFault.Forbidden, refused.Fault);
        Assert.Contains("chmod 600", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Kubernetes gives a secret to the pod's group; nobody else has it.</summary>
    [Fact]
    public void A_mounted_secret_is_its_groups_to_read_where_that_was_said_and_nothing_more()
    {
        SigningKey.LoadOrCreate(KeyFile).Dispose();
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        SigningKey.LoadOrCreate(KeyFile, groupMayRead: true).Dispose();
        foreach (var more in new[] { UnixFileMode.GroupWrite, UnixFileMode.OtherRead, UnixFileMode.OtherWrite })
        {
            File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.GroupRead | more);
            Assert.Equal(StoreFault.Forbidden, Assert.Throws<EventStoreException>(() => SigningKey.LoadOrCreate(KeyFile, groupMayRead: true)).Fault);
        }
    }

    [Fact]
    public void What_is_no_key_is_said_to_be_none_and_is_not_repeated()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(KeyFile)!);
        File.WriteAllText(KeyFile, "not-to-be-shown");
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var refused = Assert.Throws<EventStoreException>(() => SigningKey.LoadOrCreate(KeyFile));
        Assert.Equal(StoreFault.Invalid, refused.Fault);
        Assert.DoesNotContain("not-to-be-shown", refused.Message, StringComparison.Ordinal);
    }
}
