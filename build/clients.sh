#!/bin/sh
# Installs from npm, by their lock files, what tests hold our own against: an exchange client that trades on the paper venue, and Kubernetes' schemas.
#   usage: build/clients.sh auto|true|false
# Prints the names of those that are there on stdout, and the choice, a line each, on stderr. auto: where node 20 or later, npm and the packages are to be had.
set -u
choice=${1:-auto}
limit=${CLIENTS_LIMIT:-180}
clients=$(dirname "$0")/../tests/clients
mark=node_modules/.installed-from

leave() { # leave WHAT WHY : goes on without, unless it was asked for
  [ "$choice" != true ] || { echo "$1 from npm: $2; it was asked for" >&2; exit 1; }
  echo "$1 from npm: $2; its test is left out" >&2
}

why=
if [ "$choice" = false ]; then
  why="as asked"
elif ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  why="node or npm is missing"
elif [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  why="node is $(node --version), and 20 is needed"
fi
there=
for client in ccxt kubernetes; do
  [ -z "$why" ] || { leave "$client" "$why"; continue; }
  log=${TMPDIR:-/tmp}/antbot-clients-$$.log
  if (cd "$clients/$client" && { cmp -s package-lock.json "$mark" || { timeout "$limit" npm ci --loglevel=error --fetch-retries=1 && cp package-lock.json "$mark"; }; }) >"$log" 2>&1; then
    there="$there $client"
    echo "$client from npm: $(cd "$clients/$client" && node -p 'Object.entries(JSON.parse(require("fs").readFileSync("package.json")).dependencies).map(d => d.join(" ")).join(", ")')" >&2
  else
    code=$?
    leave "$client" "it cannot be installed here (exit code $code: $(head -n 3 "$log" | tr '\n' ' '))"
  fi
  rm -f "$log"
done
echo "$there"
