#!/bin/sh
# Decides whether something that not every registry holds is built in.
#   usage:   build/probe.sh auto|true|false WHAT PACKAGE=RANGE [PACKAGE=RANGE ...]
#   example: build/probe.sh auto "its engine" "Marten=9.*"
# Prints true or false on stdout and the choice, in one line, on stderr. Never fails and never takes longer than PROBE_LIMIT
# seconds (60): what cannot be told is left out.

choice=${1:-auto}
what=${2:-it}
[ $# -ge 2 ] && shift 2
name=${1%%[=.]*}
limit=${PROBE_LIMIT:-60}

say() {
    printf '%s\n' "$2" >&2
    printf '%s\n' "$1"
    exit 0
}

case $choice in
    true) say true "$name: building $what, as asked" ;;
    false) say false "$name: $what is left out, as asked" ;;
    auto) ;;
    *) say false "$name: '$choice' is neither auto, true nor false; $what is left out" ;;
esac
[ -n "$name" ] || say false "probe: no package was named"
command -v dotnet >/dev/null 2>&1 || say false "$name: there is no dotnet to ask with; $what is left out"
folder=$(mktemp -d 2>/dev/null) || say false "$name: no temporary folder to ask in; $what is left out"
restore=
trap 'rm -rf "$folder"' EXIT
trap 'if [ -n "$restore" ]; then kill "$restore" 2>/dev/null; fi; exit 0' HUP INT TERM

# Nothing above a temporary folder may change the answer.
for file in Directory.Build.props Directory.Build.targets Directory.Packages.props; do
    echo '<Project />' >"$folder/$file"
done
{
    echo '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup>'
    for package in "$@"; do
        echo "<PackageReference Include=\"${package%%=*}\" Version=\"${package#*=}\" />"
    done
    echo '</ItemGroup></Project>'
} >"$folder/probe.csproj"

MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 \
    dotnet restore "$folder/probe.csproj" --verbosity quiet >"$folder/log" 2>&1 &
restore=$!
waited=0
while kill -0 "$restore" 2>/dev/null; do
    if [ "$waited" -ge "$limit" ]; then
        kill "$restore" 2>/dev/null
        say false "$name: no answer from the registry within $limit s; $what is left out"
    fi
    sleep 1
    waited=$((waited + 1))
done
if wait "$restore"; then
    restore=
    first=${1%%=*}
    version=$(sed -n "s|^ *\"$first/\([^\"]*\)\": {.*|\1|p" "$folder/obj/project.assets.json" 2>/dev/null | head -n 1)
    say true "$name ${version:-(${1#*=})} found; building $what"
fi
restore=
if grep -Eq "NU110[12][^0-9]" "$folder/log"; then
    missing=$(sed -n "s/.*NU110[12]: Unable to find[^']*package \([^ ]*\).*/\1/p" "$folder/log" | sed 's/\.$//' | head -n 1)
    first=${1%%=*}
    if [ -z "$missing" ] || [ "$missing" = "$first" ]; then
        say false "$name: not in this registry; $what is left out"
    fi
    say false "$name: this registry lacks $missing, which it needs; $what is left out"
fi
say false "$name: cannot be restored here ($(grep -Eo 'NU[0-9]{4}|MSB[0-9]{4}|NETSDK[0-9]{4}' "$folder/log" | head -n 1)); $what is left out"
