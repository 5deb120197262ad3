#!/bin/bash
# Exit code 0 while whoever writes a file has its turns and all is well: heartbeat.sh FILE SECONDS. It says "ok" or what is wrong, and is no older than SECONDS.
# heartbeat.sh FILE SECONDS alive: only how old it is counts.
[ -f "$1" ] && [ $(($(date +%s) - $(stat -c %Y "$1"))) -le "$2" ] || exit 1
[ "${3:-}" = alive ] || [ "$(head -c 1000 "$1")" = ok ]
