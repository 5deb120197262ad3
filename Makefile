# Antbot's commands. `make help` lists them.
SHELL := /bin/sh
CONFIGURATION ?= Release
# auto: a probe restore turns on what the registry has, and says which. true and false force it.
MARTEN ?= auto
TESTCONTAINERS ?= auto
CLIENTS ?= auto
AREA ?= store
PORT ?= 8765
ADMIN_PORT ?= 8766
ARGS ?=
# true: a lock file that does not fit what is built is an error, and not rewritten.
LOCKED ?= false
INSTANCES ?=

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

# Asked once, and only where something is built.
MARTEN_ON = $(eval MARTEN_ON := $$(shell build/probe.sh $(MARTEN) "the Marten engine" "Marten=9.*"))$(MARTEN_ON)
TESTCONTAINERS_ON = $(eval TESTCONTAINERS_ON := $$(shell build/probe.sh $(TESTCONTAINERS) "servers in containers" "Testcontainers.PostgreSql=4.*" "Testcontainers.RabbitMq=4.*"))$(TESTCONTAINERS_ON)

DLL = bin/$(CONFIGURATION)/net10.0

.PHONY: help sdk build test bench sim fuzz chaos corpus lint run stop venue up down cli clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

sdk:
	@command -v dotnet >/dev/null 2>&1 || { echo "The .NET SDK 10 is missing: install it from your distribution or from dotnet.microsoft.com."; exit 1; }

build: sdk ## restore and build everything
	@dotnet build Antbot.Services.sln -c $(CONFIGURATION) -p:Marten=$(MARTEN_ON) -p:Testcontainers=$(TESTCONTAINERS_ON) -p:Locked=$(LOCKED) -v quiet -clp:NoSummary || \
		{ [ "$(LOCKED)" != true ] || echo "If it says NU1004, a lock file does not fit its project: 'make build' rewrites it, then commit it."; exit 1; }

test: LOCKED = true
test: build ## everything CI runs; the last line is "N passed, N failed"
	@dotnet shared/Antbot.LocalServers/$(DLL)/Antbot.LocalServers.dll ensure
	@MARTEN_ON=$(MARTEN_ON) CLIENTS_ON="$$(build/clients.sh $(CLIENTS))" build/test.sh $(CONFIGURATION)

bench: build ## benchmarks, each figure beside its peer and its limit (AREA=store, venue, pipeline, start, servers, replay, deadletters, trace)
	@dotnet shared/Antbot.LocalServers/$(DLL)/Antbot.LocalServers.dll ensure $(if $(filter servers pipeline start,$(AREA)),,--postgres)
	@dotnet tests/Antbot.Benchmarks/$(DLL)/Antbot.Benchmarks.dll --area $(AREA) $(ARGS)

sim: sdk ## the services' own code in a simulated world: SEEDS=10000 FIRST=1, SEED=7, PLAN=file, BUG=blind-retry, BUGS=list, BUGS=all, DOUBTS=10000, LETTERS=10000
	@dotnet build tests/Antbot.Simulation -c $(CONFIGURATION) -v quiet -clp:NoSummary
	@# Otherwise the youngest generation is as small as a cache, and a seventh of the time goes into collecting it; no project file can say so.
	@DOTNET_GCgen0size=$${DOTNET_GCgen0size:-0x4000000} exec dotnet tests/Antbot.Simulation/$(DLL)/Antbot.Simulation.dll $(if $(filter all,$(BUGS)),--all-bugs,$(if $(BUGS),--bugs)) $(if $(SEED),--seed $(SEED)) $(if $(PLAN),--plan $(PLAN)) \
		$(if $(SEEDS),--seeds $(SEEDS)) $(if $(DOUBTS),--doubts $(DOUBTS)) $(if $(LETTERS),--letters $(LETTERS)) $(if $(FIRST),--first $(FIRST)) $(if $(BUG),--bug $(BUG),$(if $(BUGS),,--save tests/Antbot.Simulation/regressions)) $(ARGS)

chaos: build ## real services and servers under real faults, judged from outside: CASE=kill-, KILLS=10000, ARGS=--list
	@dotnet shared/Antbot.LocalServers/$(DLL)/Antbot.LocalServers.dll ensure
	@dotnet tests/Antbot.Chaos/$(DLL)/Antbot.Chaos.dll $(if $(CASE),--case $(CASE)) $(if $(KILLS),--kills $(KILLS)) $(ARGS)

fuzz: sdk ## what every edge must refuse, and everything that a decider's types allow: TARGET=decider:, CASES=1000, SEED=2; without CASES the long run, which goes on where it was stopped
	@dotnet build tests/Antbot.Fuzz -c $(CONFIGURATION) -v quiet -clp:NoSummary
	@exec dotnet tests/Antbot.Fuzz/$(DLL)/Antbot.Fuzz.dll $(if $(TARGET),--target $(TARGET)) $(if $(CASES),--cases $(CASES),--tally artifacts/fuzz/tally-$(or $(SEED),1).json) $(if $(SEED),--seed $(SEED)) $(ARGS)

corpus: sdk ## accepts what the committed decisions have become on purpose, as lines to review; NEW=1 makes the histories anew
	@dotnet build tests/Antbot.Integration.Tests -c $(CONFIGURATION) -v quiet -clp:NoSummary
	@ANTBOT_REWRITE_CORPUS=$(if $(NEW),new,accept) dotnet tests/Antbot.Integration.Tests/$(DLL)/Antbot.Integration.Tests.dll -noColor -noLogo -class "*CorpusTests"
	@git --no-pager diff --stat -- tests/Antbot.Integration.Tests/Forensics/corpus

lint: sdk ## formatting and analyzers
	@dotnet format Antbot.Services.sln --verify-no-changes

run: sdk ## the whole system in one process on the embedded store
	@dotnet run --project services/Antbot.Standalone -c $(CONFIGURATION) -v quiet -- $(ARGS)

stop: sdk ## end what 'make run ARGS=--detach' left running
	@dotnet run --project services/Antbot.Standalone -c $(CONFIGURATION) -v quiet -- stop $(ARGS)

venue: sdk ## the paper venue alone (PORT=8765 ADMIN_PORT=8766); prints its address, a funded key and its secret as shell assignments
	@dotnet run --project services/Antbot.PaperVenue/Host -c $(CONFIGURATION) -v quiet -- --port $(PORT) --admin-port $(ADMIN_PORT) --shell $(ARGS)

up: build ## every service as a process of its own on PostgreSQL and RabbitMQ (INSTANCES='validation=3 risk=2')
	@dotnet shared/Antbot.LocalServers/$(DLL)/Antbot.LocalServers.dll ensure
	@dotnet services/Antbot.Watchdog/Host/$(DLL)/Antbot.Watchdog.dll up --detach --instances "$(INSTANCES)" $(ARGS)

down: sdk ## end what 'make up' started; the data stays
	@dotnet services/Antbot.Watchdog/Host/$(DLL)/Antbot.Watchdog.dll down $(ARGS)

cli: sdk ## the antbot command: make cli ARGS='verify --help'
	@dotnet run --project services/Antbot.Cli -c $(CONFIGURATION) -v quiet -- $(ARGS)

clean: ## what builds and runs have left, but not your data under .local
	@rm -rf artifacts && find . -name bin -o -name obj | grep -E '^\./(shared|services|tests)/[^/]+(/[^/]+)?/(bin|obj)$$' | xargs rm -rf
