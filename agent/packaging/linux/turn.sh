#!/bin/sh
# Starts the Keyturn agent, and turns to a newer program and back:   sh turn.sh run ARGUMENTS
#
# The agent leaves a newer program, unpacked and checked, in next/ and ends. Whoever starts this script starts it again
# when it ends, as systemd does. It puts the new program in place of the present one, which it keeps, and gives it a few
# starts. The new one takes the file `trial` away as soon as the server has answered it. If it does not in time, the one
# before is put back. Each step is one rename, and this script goes on after a cut between any two of them.
set -u
unset CDPATH
cd -- "$(dirname -- "$0")" || exit 1
HERE=$(pwd -P)
STARTS=${KEYTURN_TRIAL_STARTS:-3}
SECONDS_TO_ANSWER=${KEYTURN_TRIAL_SECONDS:-300}
left=0

# Writes a file whole: $1 is its name, $2 its line.
put() { printf '%s\n' "$2" >"$1.new" && sync && mv -f "$1.new" "$1" && sync; }

turn() {
  if [ -d next ]; then
    if [ -d runtime ]; then
      rm -rf runtime.kept
      put trial "$STARTS" || return 0  # a full disk: the present program goes on
      mv runtime runtime.kept || return 0
    fi
    mv next runtime
    sync
  elif [ ! -d runtime ] && [ -d runtime.kept ]; then
    mv runtime.kept runtime  # going back was cut in its middle
    sync
  fi
  rm -rf runtime.failed
  [ -f trial ] || return 0
  if [ ! -d runtime.kept ]; then rm -f trial; return 0; fi
  left=$(tr -cd '0-9' <trial)
  if [ "${left:-0}" -gt 0 ]; then put trial "$((left - 1))" && return 0; fi
  go_back
}

go_back() {
  put went-back "$(date +%s)" || :
  mv runtime runtime.failed && mv runtime.kept runtime
  rm -f trial
  sync
  rm -rf runtime.failed
}

turn
program=$HERE/runtime/keyturn-agent
[ -f trial ] || exec "$program" "$@"

# On trial. The program may hang, or end with a status after which a service manager starts nothing more: so this script
# stays, and a second one beside it counts the seconds, which no change of the clock shortens.
watch() {
  waited=0
  while [ "$waited" -lt "$SECONDS_TO_ANSWER" ]; do
    sleep 1
    [ -f trial ] && kill -0 "$$" 2>/dev/null || return 0
    waited=$((waited + 1))
  done
  put trial 0 || :
  kill -KILL "$1"
}

asked=
child=
trap 'asked=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT
"$program" "$@" &
child=$!
[ -z "$asked" ] || kill -TERM "$child" 2>/dev/null
watch "$child" &
watcher=$!
while :; do
  code=0
  wait "$child" || code=$?
  kill -0 "$child" 2>/dev/null || break  # a signal ends `wait` while the program still lives
done
kill "$watcher" 2>/dev/null
if [ -n "$asked" ]; then  # it was stopped, which is no failure
  [ ! -f trial ] || put trial "$left" || :
  exit 0
fi
[ -f trial ] || exit "$code"
sleep 1
exec /bin/sh "$HERE/turn.sh" "$@"
