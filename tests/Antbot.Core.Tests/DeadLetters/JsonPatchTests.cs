using System.Text.Json;
using Antbot.ConsoleService.DeadLetters;
using Xunit;

namespace Antbot.Core.Tests.DeadLetters;

/// <summary>RFC 6902, by its own examples and by what somebody might send who means ill.</summary>
public sealed class JsonPatchTests
{
    [Theory]
    [InlineData("""{"foo":"bar"}""", """[{"op":"add","path":"/baz","value":"qux"}]""", """{"foo":"bar","baz":"qux"}""")]
    [InlineData("""{"foo":["bar","baz"]}""", """[{"op":"add","path":"/foo/1","value":"qux"}]""", """{"foo":["bar","qux","baz"]}""")]
    [InlineData("""{"baz":"qux","foo":"bar"}""", """[{"op":"remove","path":"/baz"}]""", """{"foo":"bar"}""")]
    [InlineData("""{"foo":["bar","qux","baz"]}""", """[{"op":"remove","path":"/foo/1"}]""", """{"foo":["bar","baz"]}""")]
    [InlineData("""{"baz":"qux","foo":"bar"}""", """[{"op":"replace","path":"/baz","value":"boo"}]""", """{"baz":"boo","foo":"bar"}""")]
    [InlineData("""{"a":[1,2,3]}""", """[{"op":"replace","path":"/a/1","value":{"b":null}}]""", """{"a":[1,{"b":null},3]}""")]
    [InlineData("""{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}""", """[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]""", """{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}""")]
    [InlineData("""{"foo":["all","grass","cows","eat"]}""", """[{"op":"move","from":"/foo/1","path":"/foo/3"}]""", """{"foo":["all","cows","eat","grass"]}""")]
    [InlineData("""{"baz":"qux","foo":["a",2,"c"]}""", """[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]""", """{"baz":"qux","foo":["a",2,"c"]}""")]
    [InlineData("""{"foo":"bar"}""", """[{"op":"add","path":"/child","value":{"grandchild":{}}}]""", """{"foo":"bar","child":{"grandchild":{}}}""")]
    [InlineData("""{"foo":"bar"}""", """[{"op":"add","path":"/baz","value":"qux","xyz":123}]""", """{"foo":"bar","baz":"qux"}""")]
    [InlineData("""{"/":9,"~1":10}""", """[{"op":"test","path":"/~01","value":10},{"op":"replace","path":"/~1","value":8}]""", """{"/":8,"~1":10}""")]
    [InlineData("""{"foo":["bar"]}""", """[{"op":"add","path":"/foo/-","value":["abc","def"]}]""", """{"foo":["bar",["abc","def"]]}""")]
    [InlineData("""{"a":1}""", """[{"op":"copy","from":"/a","path":"/b"}]""", """{"a":1,"b":1}""")]
    [InlineData("""{"a":1}""", """[{"op":"replace","path":"","value":[null]}]""", """[null]""")]
    [InlineData("""{"a":null}""", """[{"op":"test","path":"/a","value":null},{"op":"remove","path":"/a"}]""", """{}""")]
    [InlineData("""{"":1}""", """[{"op":"replace","path":"/","value":2}]""", """{"":2}""")]
    // What is not touched keeps every digit.
    [InlineData("""{"a":1.50,"b":1e2,"c":12345678901234567890.123456789}""", """[{"op":"add","path":"/d","value":1}]""", """{"a":1.50,"b":1e2,"c":12345678901234567890.123456789,"d":1}""")]
    public void What_is_asked_for_is_done(string document, string patch, string changed) => Assert.Equal(changed, JsonPatch.Apply(Parse(document), Parse(patch)).GetRawText());

    [Theory]
    [InlineData("""[{"op":"test","path":"/a","value":2}]""", "it is something else")]
    [InlineData("""[{"op":"test","path":"/a","value":"1"}]""", "it is something else")]
    [InlineData("""[{"op":"remove","path":"/x"}]""", "there is no 'x'")]
    [InlineData("""[{"op":"replace","path":"/x","value":1}]""", "there is no 'x'")]
    [InlineData("""[{"op":"add","path":"/x/y","value":1}]""", "there is no 'x'")]
    [InlineData("""[{"op":"add","path":"/a/y","value":1}]""", "there is nothing that it could be added to")]
    [InlineData("""[{"op":"add","path":"/l/3","value":1}]""", "there is no place '3'")]
    [InlineData("""[{"op":"add","path":"/l/01","value":1}]""", "there is no place '01'")]
    [InlineData("""[{"op":"remove","path":"/l/-"}]""", "there is no place '-'")]
    [InlineData("""[{"op":"move","from":"/o","path":"/o/p"}]""", "nothing is moved into itself")]
    // The first operation may fit; where the second does not, nothing is done.
    [InlineData("""[{"op":"add","path":"/b","value":1},{"op":"remove","path":"/c"}]""", "Operation 2 (remove /c)")]
    public void What_does_not_fit_is_refused_and_says_where(string patch, string why) =>
        Assert.Contains(why, Assert.Throws<JsonPatchException>(() => JsonPatch.Apply(Parse("""{"a":1,"l":[1,2],"o":{}}"""), Parse(patch))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[1]")]
    [InlineData("""[{"path":"/a","value":1}]""")]
    [InlineData("""[{"op":"add","value":1}]""")]
    [InlineData("""[{"op":"add","path":"/a"}]""")]
    [InlineData("""[{"op":"move","path":"/a"}]""")]
    [InlineData("""[{"op":"merge","path":"/a","value":1}]""")]
    [InlineData("""[{"op":"add","path":"a","value":1}]""")]
    [InlineData("""[{"op":"add","path":"/a~","value":1}]""")]
    [InlineData("""[{"op":"add","path":"/a~2","value":1}]""")]
    [InlineData("""[{"op":"add","path":"/a","value":{"b":1,"b":2}}]""")]
    public void What_is_no_patch_is_told_before_anything_is_looked_at(string patch)
    {
        Assert.NotNull(JsonPatch.Fault(Parse(patch)));
        Assert.Throws<JsonPatchException>(() => JsonPatch.Apply(Parse("""{"a":1}"""), Parse(patch)));
    }

    /// <summary>Each copies all that there is into itself: twice as much and one deeper each time.</summary>
    [Fact]
    public void One_that_grows_without_end_is_stopped()
    {
        var deep = $"[{string.Join(',', Enumerable.Range(0, 100).Select(i => """{"op":"copy","from":"","path":"/x"}"""))}]";
        Assert.Contains("deeper than 32", Assert.Throws<JsonPatchException>(() => JsonPatch.Apply(Parse("""{"a":1}"""), Parse(deep))).Message, StringComparison.Ordinal);
        var wide = $"[{string.Join(',', Enumerable.Range(0, 100).Select(i => """{"op":"copy","from":"/l","path":"/m/-"}"""))}]";
        var large = $$"""{"l":["{{new string('x', 20_000)}}"],"m":[]}""";
        Assert.Contains("characters are added", Assert.Throws<JsonPatchException>(() => JsonPatch.Apply(Parse(large), Parse(wide))).Message, StringComparison.Ordinal);
        Assert.NotNull(JsonPatch.Fault(Parse($"[{string.Join(',', Enumerable.Repeat("""{"op":"remove","path":"/a"}""", 101))}]")));
    }

    private static JsonElement Parse(string json) => JsonElement.Parse(json);
}
