#!/bin/bash
# Exit code 0 when the address answers 200: probe.sh PORT PATH. The image has no curl, and a .NET process for every probe would be dear.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
read -r -t 8 _ status _ <&3
[ "$status" = 200 ]
