#!/bin/sh
# Asks a deployed app whether it works, and whether its callbacks are closed to everybody but Graph.
# usage: sh .github/check_deployed.sh https://<app>.azurewebsites.net
# TRIES (30) and PAUSE (10, in seconds) say for how long a cold start, or an app that just restarts, is waited for.
set -eu

base=${1:?"usage: sh .github/check_deployed.sh https://<app>"}
base=${base%/}
tries=${TRIES:-30}
pause=${PAUSE:-10}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# ask <condition> <curl's arguments>: asks until <condition> holds. $status is the answer's, 000 where there was none.
ask() {
    condition=$1
    shift
    tried=0
    while :; do
        : >"$folder/headers"
        : >"$folder/body"
        status=$(curl --silent --max-time 30 --dump-header "$folder/headers" --output "$folder/body" \
            --write-out '%{http_code}' "$@") || status=000
        tried=$((tried + 1))
        if "$condition"; then return 0; fi
        echo "try $tried of $tries: $status"
        if [ "$tried" -ge "$tries" ]; then return 1; fi
        sleep "$pause"
    done
}

healthy() {
    [ "$status" = 200 ] && grep -q '"status": *"healthy"' "$folder/body"
}

answered() {
    case $status in 000 | 5??) return 1 ;; esac
}

fail() {
    echo "::error::$1"
    exit 1
}

if ! ask healthy "$base/api/health"; then
    # Its body names what is wrong, and holds no secret.
    # Each line is marked, since GitHub takes some lines of a log for commands.
    head -c 4000 "$folder/body" | sed 's/^/body: /'
    echo
    fail "$base/api/health is not healthy: the last answer was $status"
fi
echo "$base/api/health: healthy"

# Anybody could forge the outcome of a call if this were taken; Graph could report nothing if it met another lock.
ask answered --request POST --header 'Content-Type: application/json' --data '{"value": []}' \
    "$base/api/notifications" || true
code=$(tr -d '\r' <"$folder/headers" | awk 'tolower($1) == "x-ms-error-code:" {print $2}')
if [ "$status" != 401 ]; then
    fail "$base/api/notifications answered $status to a callback without Graph's token: it must be 401"
fi
if [ "$code" != NotFromGraph ]; then
    fail "$base/api/notifications is locked by something in front of the app (Easy Auth?), so Graph can't reach it either"
fi
echo "$base/api/notifications: closed to everybody but Graph"
