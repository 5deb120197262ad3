# Installs distribution packages without letting them start or enable system services. Runs as root.
set -eu
policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.d/antbot.conf
ours=

clean_up() {
    rm -f "$cluster"
    [ -z "$ours" ] || rm -f "$policy"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
mkdir -p "${cluster%/*}"
echo 'create_main_cluster = false' >"$cluster"

export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 update
apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 install -y --no-install-recommends "$@"

# The policy holds during the installation only: without this they would start with the next boot.
if command -v systemctl >/dev/null 2>&1; then
    for package in "$@"; do
        case $package in
            rabbitmq-server) systemctl disable rabbitmq-server.service epmd.socket >/dev/null 2>&1 || true ;;
            postgresql) systemctl disable postgresql.service >/dev/null 2>&1 || true ;;
        esac
    done
fi
