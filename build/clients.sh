#!/bin/sh
# Installs from npm, by their lock files, what tests hold our own against: an exchange client that trades on the paper venue, and Kubernetes' schemas.
#   usage: build/clients.sh auto|true|false
# Prints true or false on stdout and the choice, in one line, on stderr. auto: where node 20 or later, npm and the packages are to be had.
set -u
choice=${1:-auto}
limit=${CLIENTS_LIMIT:-180}
clients=$(dirname "$0")/../tests/clients
mark=node_modules/.installed-from

leave() { # leave WHY : goes on without, unless it was asked for
  [ "$choice" != true ] || { echo "npm: $1; it was asked for" >&2; exit 1; }
  echo "npm: $1; the tests with a client and with schemas from npm are left out" >&2
  echo false
  exit 0
}

[ "$choice" != false ] || leave "as asked"
command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || leave "node or npm is missing"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || leave "node is $(node --version), and 20 is needed"
for client in ccxt kubernetes; do
  (
    cd "$clients/$client" || exit 1
    cmp -s package-lock.json "$mark" || { timeout "$limit" npm ci --loglevel=error --fetch-retries=1 && cp package-lock.json "$mark"; }
  ) >"${TMPDIR:-/tmp}/antbot-clients-$$.log" 2>&1 || code=$?
  said=$(head -n 3 "${TMPDIR:-/tmp}/antbot-clients-$$.log" | tr '\n' ' ')
  rm -f "${TMPDIR:-/tmp}/antbot-clients-$$.log"
  [ -z "${code:-}" ] || leave "it cannot install what $client needs (exit code $code: $said)"
done
echo "npm: $(cd "$clients" && node -p '["ccxt", "kubernetes"].flatMap(c => Object.entries(require(`./${c}/package.json`).dependencies)).map(([name, version]) => `${name} ${version}`).join(", ")')" >&2
echo true
