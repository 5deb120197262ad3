#!/bin/sh
# Runs every test project that was built, one after the other, and adds up what they say.
# The last line is "N passed, N failed"; the exit code is 0 only when nothing failed and every project ran to its end.
set -u
configuration=${1:-Release}
results=artifacts/tests
rm -rf "$results" && mkdir -p "$results"
passed=0 failed=0

attribute() { # attribute NAME FILE : the sum of an attribute over the assemblies of a result file
  grep -o '<assembly [^>]*>' "$2" | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ s += $1 } END { print s + 0 }'
}

failures() { # failures LINES FILE : the first lines of each failed test, without what the programs under test logged meanwhile
  awk -v lines="$1" '/^[{]/ { next } /\[FAIL\]$/ { left = lines } /^ ? ?[^ ]/ { left = 0 } left > 0 { print substr($0, 1, 300); left-- }' "$2"
}

for project in tests/*/*.Tests.csproj; do
  name=$(basename "$project" .csproj)
  program=tests/$name/bin/$configuration/net10.0/$name.dll
  # Only a build that was given Marten has these tests in it.
  [ "$name" != Antbot.Marten.Tests ] || [ "${MARTEN_ON:-false}" = true ] || continue
  # A client and schemas from npm, and kustomize itself, are held against ours where they are there.
  without=
  for client in ccxt kubernetes; do
    case " ${CLIENTS_ON:-} " in *" $client "*) ;; *) without="$without -trait- Needs=npm-$client" ;; esac
  done
  command -v kubectl >/dev/null 2>&1 || without="$without -trait- Needs=kubectl"
  echo "== $name"
  started=$(date +%s)
  # shellcheck disable=SC2086 # words, or none
  # Most of what a test does is wait for a process or a server: more of them at once than there are processors.
  dotnet "$program" -noColor -noLogo -xml "$results/$name.xml" -maxThreads 1.5x $without >"$results/$name.log" 2>&1 </dev/null
  code=$?
  if [ ! -s "$results/$name.xml" ]; then
    tail -n 40 "$results/$name.log"
    echo "   $name did not run to its end (exit code $code)."
    failed=$((failed + 1))
    continue
  fi
  p=$(attribute passed "$results/$name.xml") f=$(attribute failed "$results/$name.xml")
  e=$(attribute errors "$results/$name.xml") s=$(attribute skipped "$results/$name.xml")
  # A test that does not run where it should is no pass.
  if [ "$code" -ne 0 ] && [ $((f + e)) -eq 0 ]; then f=1; tail -n 40 "$results/$name.log"; fi
  if [ $((p + f)) -eq 0 ]; then echo "   $name ran no test."; f=1; fi
  passed=$((passed + p)) failed=$((failed + f + e + s))
  echo "   $p passed, $((f + e)) failed, $s skipped in $(($(date +%s) - started)) s"
done

# In full first and then each in two lines: whoever is shown only the end of a long run still learns what failed, and of what.
for lines in 40 2; do
  for log in "$results"/*.log; do
    ! grep -qs '\[FAIL\]$' "$log" || { echo "== failed, see $log"; failures "$lines" "$log"; }
  done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
