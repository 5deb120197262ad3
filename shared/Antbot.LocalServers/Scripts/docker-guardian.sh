# Holds one container for its owner: "start" runs it, end of file removes it.
docker=$1 folder=$2 name=$3 data=$4
shift 4
trap '' PIPE
exec 2>>"$folder/$name.log"
echo $$ >"$folder/$name.guardian"
while read -r order; do
    [ "$order" = start ] || continue
    if (
        trap - PIPE
        exec "$docker" run --detach --name "$name" "$@"
    ) </dev/null >>"$folder/$name.log" 2>&1; then
        echo started
    else
        echo failed
    fi
done
"$docker" rm --force --volumes "$name" >/dev/null 2>&1
if [ "$data" = remove ]; then
    rm -rf "$folder" "$folder.lock"
else
    rm -f "$folder/$name.container" "$folder/$name.guardian"
fi
