#!/bin/sh
# Installs the exchange client from npm that trades on the paper venue in a test, by its lock file, under tests/clients.
#   usage: build/clients.sh auto|true|false
# Prints true or false on stdout and the choice, in one line, on stderr. auto: where node 20 or later, npm and the packages are to be had.
set -u
choice=${1:-auto}
limit=${CLIENTS_LIMIT:-180}
folder=$(dirname "$0")/../tests/clients/ccxt
mark=node_modules/.installed-from

leave() { # leave WHY : goes on without, unless it was asked for
  [ "$choice" != true ] || { echo "ccxt: $1; it was asked for" >&2; exit 1; }
  echo "ccxt: $1; the test with a client from npm is left out" >&2
  echo false
  exit 0
}

[ "$choice" != false ] || leave "as asked"
command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || leave "node or npm is missing"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || leave "node is $(node --version), and 20 is needed"
cd "$folder" || exit 1
if ! cmp -s package-lock.json "$mark"; then
  timeout "$limit" npm ci --loglevel=error --fetch-retries=1 >"${TMPDIR:-/tmp}/antbot-clients-$$.log" 2>&1 || code=$?
  said=$(head -n 3 "${TMPDIR:-/tmp}/antbot-clients-$$.log" | tr '\n' ' ')
  rm -f "${TMPDIR:-/tmp}/antbot-clients-$$.log"
  [ -z "${code:-}" ] || leave "npm cannot install it here (exit code $code: $said)"
  cp package-lock.json "$mark"
fi
echo "ccxt $(node -p 'require("./package.json").dependencies.ccxt') found; the paper venue is tested with it" >&2
echo true
