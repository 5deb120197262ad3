Console.Error.WriteLine("Antbot.Marten.Tests: this build is without Marten, so there is nothing to run. -p:Marten=true builds it where the registry has the package.");
return 1;
