#!/bin/bash
# Makes what is secret, once: make-keys.sh FOLDER. What is there already stays.
# Each subfolder is for one kind of process alone: a volume for Docker, a Secret for Kubernetes.
set -eu
umask 027
cd "$1"
postgres=${POSTGRES_HOST:-postgres} rabbitmq=${RABBITMQ_HOST:-rabbitmq}

put() { # put FILE : its content is what comes in, unless there is one
  mkdir -p "$(dirname "$1")"
  [ -s "$1" ] || { cat >"$1.new" && chmod 440 "$1.new" && mv "$1.new" "$1"; }
}

secret() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

secret | put postgres/owner-password
secret | put postgres/services-password
secret | put rabbitmq/password
secret | put venue/api-key
secret | put venue/api-secret
secret | put venue-admin/key
secret | put signals/api-key
secret | put console/token

# What checkpoints are signed with, and its public half for whoever verifies them.
command -v openssl >/dev/null || { echo "openssl is missing: the notary's key cannot be made." >&2; exit 1; }
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | put notary/signing-key
openssl pkey -in notary/signing-key -pubout | put notary-public/signing-key.pub

# What the broker reads, and beside it what its operator wants to have in such a Secret.
printf 'default_user = antbot\ndefault_pass = %s\n' "$(cat rabbitmq/password)" | put rabbitmq/default_user.conf
printf antbot | put rabbitmq/username
printf %s "$rabbitmq" | put rabbitmq/host
printf 5672 | put rabbitmq/port
printf rabbitmq | put rabbitmq/provider
printf rabbitmq | put rabbitmq/type

printf 'Host=%s;Database=antbot;Username=antbot;Password=%s;GSS Encryption Mode=Disable' "$postgres" "$(cat postgres/owner-password)" | put owner/store
printf 'Host=%s;Database=antbot;Username=antbot_services;Password=%s;GSS Encryption Mode=Disable' "$postgres" "$(cat postgres/services-password)" | put platform/store
printf 'amqp://antbot:%s@%s:5672' "$(cat rabbitmq/password)" "$rabbitmq" | put platform/bus
echo "Keys are there."
