# Antbot's commands. `make help` lists them.
SHELL := /bin/sh
CONFIGURATION ?= Release
# auto: a probe restore turns on what the registry has, and says which. true and false force it.
MARTEN ?= auto
TESTCONTAINERS ?= auto
AREA ?= store
PORT ?= 8765
ARGS ?=
# true: a lock file that does not fit what is built is an error, and not rewritten.
LOCKED ?= false

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

# Asked once, and only where something is built.
MARTEN_ON = $(eval MARTEN_ON := $$(shell build/probe.sh $(MARTEN) "the Marten engine" "Marten=9.*"))$(MARTEN_ON)
TESTCONTAINERS_ON = $(eval TESTCONTAINERS_ON := $$(shell build/probe.sh $(TESTCONTAINERS) "servers in containers" "Testcontainers.PostgreSql=4.*" "Testcontainers.RabbitMq=4.*"))$(TESTCONTAINERS_ON)

DLL = bin/$(CONFIGURATION)/net10.0

.PHONY: help sdk build test bench lint run venue cli clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

sdk:
	@command -v dotnet >/dev/null 2>&1 || { echo "The .NET SDK 10 is missing: install it from your distribution or from dotnet.microsoft.com."; exit 1; }

build: sdk ## restore and build everything
	@dotnet build Antbot.Services.sln -c $(CONFIGURATION) -p:Marten=$(MARTEN_ON) -p:Testcontainers=$(TESTCONTAINERS_ON) -p:Locked=$(LOCKED) -v quiet -clp:NoSummary

test: LOCKED = true
test: build ## everything CI runs; the last line is "N passed, N failed"
	@dotnet shared/Antbot.LocalServers/$(DLL)/Antbot.LocalServers.dll ensure
	@MARTEN_ON=$(MARTEN_ON) build/test.sh $(CONFIGURATION)

bench: build ## benchmarks, each figure beside its peer and its limit (AREA=store)
	@dotnet shared/Antbot.LocalServers/$(DLL)/Antbot.LocalServers.dll ensure --postgres
	@dotnet tests/Antbot.Benchmarks/$(DLL)/Antbot.Benchmarks.dll --area $(AREA) $(ARGS)

lint: sdk ## formatting and analyzers
	@dotnet format Antbot.Services.sln --verify-no-changes

run: sdk ## the whole system in one process on the embedded store
	@dotnet run --project services/Antbot.Standalone -c $(CONFIGURATION) -v quiet -- $(ARGS)

venue: sdk ## the paper venue alone (PORT=8765)
	@dotnet run --project services/Antbot.PaperVenue/Host -c $(CONFIGURATION) -v quiet -- --port $(PORT) $(ARGS)

cli: sdk ## the antbot command: make cli ARGS='verify --help'
	@dotnet run --project services/Antbot.Cli -c $(CONFIGURATION) -v quiet -- $(ARGS)

clean: ## what builds and runs have left, but not your data under .local
	@rm -rf artifacts && find . -name bin -o -name obj | grep -E '^\./(shared|services|tests)/[^/]+(/[^/]+)?/(bin|obj)$$' | xargs rm -rf
