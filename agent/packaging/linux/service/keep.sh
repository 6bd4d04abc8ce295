#!/bin/sh
# Keeps the agent running on a host without systemd: started once, in a session of its own, it starts the agent again
# whenever that ends, except where only a person can help (4: refused or revoked; 78: the settings are wrong).
set -u
umask 077
cd /
. "$(dirname -- "$0")/places.sh"
ulimit -c 0
MOST=1048576  # bytes of the log; what is older goes to one file beside it

echo "$$" >"$PID"
agent=
ending=
trap 'ending=1; [ -z "$agent" ] || kill -TERM "$agent" 2>/dev/null' TERM INT
trap '' HUP

while [ -z "$ending" ]; do
  if [ -f "$LOG" ] && [ "$(wc -c <"$LOG")" -gt "$MOST" ]; then mv -f "$LOG" "$LOG.old"; fi
  sh "$PROGRAM/turn.sh" run --conf "$CONF/agent.conf" --package "$PROGRAM" --state "$STATE" --log "$LOG" >>"$LOG" 2>&1 &
  agent=$!
  code=0
  wait "$agent" || code=$?
  # A signal ends a wait early, and the agent is given its time to end.
  while kill -0 "$agent" 2>/dev/null; do code=0; wait "$agent" || code=$?; done
  agent=
  case $code in 4 | 78) break ;; esac
  [ -n "$ending" ] || { sleep 5 & wait "$!"; }
done
rm -f "$PID"
