#!/bin/bash
# Makes what is secret between the containers, once; each container sees its own volume only.
set -eu
umask 077

once() { # once FILE : a new secret unless there is one
  [ -s "$1" ] || { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$1.new" && mv "$1.new" "$1"; }
}

once /keys/postgres/password
once /keys/services/rabbitmq-password
for name in venue-key venue-secret venue-admin-key signal-api-key console-token; do once "/keys/services/$name"; done

printf 'Host=postgres;Database=antbot;Username=antbot;Password=%s' "$(cat /keys/postgres/password)" >/keys/services/store
printf 'amqp://antbot:%s@rabbitmq:5672/' "$(cat /keys/services/rabbitmq-password)" >/keys/services/bus
printf 'default_user = antbot\ndefault_pass = %s\nloopback_users.guest = true\n' "$(cat /keys/services/rabbitmq-password)" >/keys/rabbitmq/10-user.conf

# The users of the public images: postgres and rabbitmq are 999, the services 1654.
chown -R 999:999 /keys/postgres /keys/rabbitmq
chown -R 1654:1654 /keys/services
chmod 500 /keys/postgres /keys/rabbitmq /keys/services
echo "Keys are there."
