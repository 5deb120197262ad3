namespace Antbot.LocalServers;

/// <summary>A private server could not be started, stopped or asked; the message says what happened, why, and what to do.</summary>
public class ServerException : Exception
{
    public ServerException() { }

    public ServerException(string message) : base(message) { }

    public ServerException(string message, Exception? innerException) : base(message, innerException) { }
}

/// <summary>No source offers the server: neither the environment, nor local binaries, nor a Docker engine.</summary>
public sealed class ServerNotFoundException : ServerException
{
    public ServerNotFoundException() { }

    public ServerNotFoundException(string message) : base(message) { }

    public ServerNotFoundException(string message, Exception? innerException) : base(message, innerException) { }
}

/// <summary>The server belongs to somebody else, so it is not ours to kill, stop or start again.</summary>
public sealed class NotOwnedException : ServerException
{
    public NotOwnedException() { }

    public NotOwnedException(string message) : base(message) { }

    public NotOwnedException(string message, Exception? innerException) : base(message, innerException) { }

    internal static NotOwnedException For(string operation, string option) =>
        new($"{operation} is not possible: this server was not started here. "
            + $"A test that kills or restarts its server asks for its own one with {option}.MustBeOwned = true.");
}
