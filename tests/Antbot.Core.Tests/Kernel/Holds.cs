using FsCheck;
using FsCheck.Fluent;

namespace Antbot.Core.Tests.Kernel;

/// <summary>Runs a property; the failure says the seed (<c>Replay</c>) and the smallest value found.</summary>
internal static class Holds
{
    public static void ForAll<T>(Arbitrary<T> values, Action<T> holds, int times = 300) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(times).WithQuietOnSuccess(true), Prop.ForAll(values, holds));

    public static void ForAll<T1, T2>(Arbitrary<T1> first, Arbitrary<T2> second, Action<T1, T2> holds, int times = 300) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(times).WithQuietOnSuccess(true), Prop.ForAll(first, second, holds));

    public static Arbitrary<int> Seed { get; } = Gen.Choose(0, int.MaxValue - 1).ToArbitrary();
}
