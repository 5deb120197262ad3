# Holds one server for its owner. Reads the owner's pipe: "start" starts the server, end of file means
# that the owner is done or dead, and the server is ended. Runs in its own session, so that a signal to
# the owner's process group does not reach it.
folder=$1 name=$2 signal=$3 patience_tenths=$4 pid_file=$5 data=$6
shift 6
server=

# The owner may be gone when we answer it.
trap '' PIPE
exec 2>>"$folder/$name.log"

running() {
    if [ -r /proc/self/stat ]; then
        { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
        line=${line##*) }
    else
        line=$(ps -o state= -p "$1" 2>/dev/null) || return 1
    fi
    case $line in
        Z* | X* | '') return 1 ;;
    esac
}

command_line() {
    if [ -r "/proc/$1/cmdline" ]; then
        tr '\0' ' ' <"/proc/$1/cmdline"
    else
        ps -o command= -p "$1"
    fi
}

# su and runuser stay in front of the server, so the server's own pid file is asked first.
target() {
    pid=
    [ -z "$pid_file" ] || { read -r pid <"$pid_file"; } 2>/dev/null
    case $pid in
        '' | *[!0-9]*) pid=$server ;;
        *)
            case $(command_line "$pid" 2>/dev/null) in
                *"$folder/"*) ;;
                *) pid=$server ;;
            esac
            ;;
    esac
}

end_server() {
    target
    if running "$pid"; then
        kill -s "$signal" "$pid"
        while running "$pid" && [ "$patience_tenths" -gt 0 ]; do
            sleep 0.1
            patience_tenths=$((patience_tenths - 1))
        done
        ! running "$pid" || kill -s KILL "$pid"
    fi
    ! running "$server" || kill -s KILL "$server"
    wait "$server"
}

# A server's children may write for a moment longer than it lives.
remove_data() {
    tries=0
    until rm -rf "$folder" 2>/dev/null || [ "$tries" -ge 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    rm -f "$folder.lock"
}

echo $$ >"$folder/$name.guardian"
while read -r order; do
    [ "$order" = start ] || continue
    # Collect the dead one first: PostgreSQL takes an uncollected process for a running one.
    [ -z "$server" ] || wait "$server"
    (
        trap - PIPE
        exec "$@"
    ) </dev/null >>"$folder/$name.log" 2>&1 &
    server=$!
    echo "$server" >"$folder/$name.pid"
    echo "$server"
done

[ -z "$server" ] || end_server 2>/dev/null
if [ "$data" = remove ]; then
    remove_data
else
    rm -f "$folder/$name.pid" "$folder/$name.guardian"
fi
