using System.Text;
using MassTransit;
using MassTransit.SagaStateMachine;

namespace Antbot.Coordinator;

/// <summary>The machine as a Mermaid diagram, made from the machine itself.</summary>
public static class MachineDrawing
{
    public static string Of(TradeSaga machine)
    {
        var graph = machine.GetGraph();
        var moves = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var into in graph.Edges.Where(e => IsEvent(e.From) && IsState(e.To)))
        {
            foreach (var from in graph.Edges.Where(e => e.To.Equals(into.From) && IsState(e.From)))
            {
                if (from.From.Title != into.To.Title)
                    moves.Add($"    {Name(from.From.Title)} --> {Name(into.To.Title)}: {into.From.Title}");
            }
        }
        var text = new StringBuilder("stateDiagram-v2\n");
        foreach (var move in moves)
            text.Append(move).Append('\n');
        return text.ToString();
    }

    private static bool IsState(Vertex vertex) => vertex.VertexType == typeof(State);

    private static bool IsEvent(Vertex vertex) => vertex.VertexType == typeof(Event);

    private static string Name(string state) => state == "Initial" ? "[*]" : state;
}
