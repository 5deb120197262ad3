using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Runtime.Control;
using Spectre.Console;

namespace Antbot.Cli.Commands;

/// <summary>Who is let in at the Console.</summary>
internal static class TokenCommand
{
    private static readonly string[] Roles = ["viewer", "operator", "super-admin"];

    public static Command Build() => new("token", "Tokens that open the Console's API: each with a name, a role and, if wanted, an end. It takes a super admin's token, such as the Console's own file has.") { Make(), Revoke(), List() };

    private static Command Make()
    {
        var name = Name();
        var role = new Option<string>("--role") { Description = "viewer sees everything; operator has things done, too; super-admin makes and revokes tokens, too.", Required = true };
        role.AcceptOnlyFromAmong(Roles);
        var days = new Option<int?>("--days") { Description = "So many days it lives, at most 366. Without it, until it is revoked." };
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > 366)
                result.AddError("A token lives 1 to 366 days.");
        });
        var reason = Reason();
        var command = new Command("make", "Makes a token and prints it, once: the record has only its hash.") { name, role, days, reason };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var made = await source.MakeTokenAsync(parsed.GetValue(name)!, parsed.GetValue(role)!.Replace("-", "", StringComparison.Ordinal), parsed.GetValue(days), parsed.GetValue(reason)!, cancellationToken);
            // Alone on the output, so that it can go straight into a file.
            await Console.Error.WriteLineAsync($"antbot: the token '{made.Name}' of a {made.Role}, {(made.ExpiresAt is { } until ? $"until {until:u}" : "until it is revoked")}. It is not told again.");
            Common.Answer(parsed, made, made.Token);
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Revoke()
    {
        var (name, reason) = (Name(), Reason());
        var command = new Command("revoke", "Lets whoever bears the token in no more. Those of the Console's own file are taken out of that file.") { name, reason };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var done = await source.RevokeTokenAsync(parsed.GetValue(name)!, parsed.GetValue(reason)!, cancellationToken);
            Common.Answer(parsed, done, $"'{done.Name}': {done.Said}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Every token, without what it is.");
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var list = await source.TokensAsync(cancellationToken);
            if (!Common.AnswerJson(parsed, list))
                Tables.Write(Rows(list));
            return ExitCode.Done;
        }));
        return command;
    }

    private static Table Rows(TokenList list)
    {
        var table = Tables.New("name", "role", "lives until", "made by", "kept in");
        foreach (var token in list.Tokens)
            table.AddRow(token.Name, token.Role, token.Expired ? "expired" : token.ExpiresAt is { } until ? $"{until:u}" : "revoked", Markup.Escape(Tables.Plain(token.By)), token.From);
        return table;
    }

    private static Argument<string> Name()
    {
        var name = new Argument<string>("name") { Description = "Whose it is: 1 to 40 letters, digits, hyphens and underscores." };
        name.Validators.Add(result => Common.Check(result, text => text.Length is >= 1 and <= 40 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? null : $"'{text}' is no name: 1 to 40 letters, digits, hyphens and underscores."));
        return name;
    }

    private static Option<string> Reason()
    {
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later.", Required = true };
        reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        return reason;
    }
}
