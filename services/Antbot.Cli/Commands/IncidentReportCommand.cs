using System.CommandLine;
using System.Text;
using Antbot.Cli.Sources;
using Antbot.Incidents.Reports;

namespace Antbot.Cli.Commands;

/// <summary>An incident as a page to read.</summary>
internal static class IncidentReportCommand
{
    public static Command Build()
    {
        var id = IncidentCommand.Id();
        var html = new Option<string?>("--html") { Description = "Write it as a page for a browser into this file, which loads nothing and runs nothing; '-' is the standard output. An existing file is not overwritten." };
        var markdown = new Option<string?>("--md") { Description = "Write it as Markdown into this file; '-' is the standard output. The default is '--md -'." };
        var command = new Command("report", "What an incident was, from top to bottom: impact in trades, accounts and money, what changed before it, what happened in order, dead letters, what was done, how it ended.") { id, html, markdown, SourceOptions.Bundle, Common.Archives };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var (asHtml, asMarkdown) = (parsed.GetValue(html), parsed.GetValue(markdown));
            if (asHtml == "-" && asMarkdown == "-")
                throw new CommandException("Usage", "Only one of --html and --md can go to the standard output.", ExitCode.Usage);
            var report = await source.IncidentReportAsync(parsed.GetValue(id)!, cancellationToken);
            if (asHtml is not null)
                await WriteAsync(asHtml, ReportText.Html(report));
            if (asMarkdown is not null)
                await WriteAsync(asMarkdown, ReportText.Markdown(report));
            if (asHtml is null && asMarkdown is null && !Common.AnswerJson(parsed, report))
                await WriteAsync("-", ReportText.Markdown(report));
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task WriteAsync(string file, string text)
    {
        if (file == "-")
        {
            await Console.Out.WriteAsync(text);
            return;
        }
        await NewFile.WriteAsync(file, async to =>
        {
            await to.WriteAsync(Encoding.UTF8.GetBytes(text));
            return text.Length;
        });
        await Console.Error.WriteLineAsync($"antbot: the report is in '{file}'.");
    }
}
