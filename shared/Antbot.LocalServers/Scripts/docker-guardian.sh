# Holds one container for its owner: "start" runs it, end of file removes it.
docker=$1 folder=$2 name=$3 data=$4 image=$5
shift 5
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
    # The server's user in the image is a stranger here, who would leave files that their owner cannot delete.
    "$docker" run --rm --volume "$folder:/kept" --entrypoint chown "$image" -R --reference=/kept /kept/data >>"$folder/$name.log" 2>&1
    rm -f "$folder/$name.container" "$folder/$name.guardian"
fi
