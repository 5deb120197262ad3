# Holds a small disk for its owner: "start" makes it, end of file takes it away. Answers "user <pid>" or "root <pid>", a process in
# whose mount namespace it is, or "shared <folder>"; or nothing, and then the log says what stood in the way.
folder=$1 megabytes=$2 user=$3 group=$4
shift 4

trap '' PIPE
exec 2>>"$folder/small-disk.log"
echo $$ >"$folder/small-disk.guardian"
read -r order

# The namespace is its user's own: no privilege is needed, nobody else sees the mount, and it ends with the last process in it.
"$@" unshare --user --map-root-user --mount /bin/sh -c '
    mount -t tmpfs -o "size=$2m,mode=1777" tmpfs "$1" && mkdir -m 700 "$1/room" || exit 1
    echo "user $$"
    cat >/dev/null' hold "$folder/disk" "$megabytes" && exit

# Where user namespaces are closed, root may still mount.
sudo=
[ "$(id -u)" = 0 ] || sudo='sudo -n'
$sudo unshare --mount /bin/sh -c '
    mount -t tmpfs -o "size=$2m,mode=1777" tmpfs "$1" || exit 1
    shift 2
    exec "$@"' hold "$folder/disk" "$megabytes" \
    setpriv "--reuid=$user" "--regid=$group" --clear-groups -- /bin/sh -c '
        mkdir -m 700 "$1/room" || exit 1
        echo "root $$"
        cat >/dev/null' hold "$folder/disk" && exit

# A container has 64 MB there that nobody else uses; all but what is wanted is taken by a file that ends with us.
size=$(df -Pk /dev/shm | awk 'NR == 2 { print $2 }')
if [ "${size:-999999}" -gt 262144 ]; then
    echo "/dev/shm has ${size:-?} kB: too large to be filled" >&2
    exit 1
fi
"$@" /bin/sh -c '
    exec 8</dev/shm && flock --timeout 120 8 || exit 1
    room=$(mktemp -d /dev/shm/antbot-disk-XXXXXXXX) || exit 1
    trap "rm -rf \"$room\"" EXIT
    rest=$(($(df -Pk /dev/shm | awk "NR == 2 { print \$4 }") - $1 * 1024))
    exec 9>"$room/rest" && rm "$room/rest" && fallocate --length "${rest}KiB" /proc/self/fd/9 || exit 1
    echo "shared $room"
    cat >/dev/null' hold "$megabytes"
