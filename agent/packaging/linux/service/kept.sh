# A service without a service manager: keep.sh in a session of its own, found again by its pid file.

# The number of the keeper, where it lives; a number that another program has by now is none.
kept_pid() {
  kept=$(cat "$PID" 2>/dev/null) || return 1
  case $kept in '' | *[!0-9]*) return 1 ;; esac
  tr '\0' ' ' 2>/dev/null <"/proc/$kept/cmdline" | grep -qF "$PROGRAM/service/keep.sh" || return 1
  say "$kept"
}

# The agent's own number, from the lock that it holds on the host, also where its keeper was killed.
kept_agent() {
  kept=$(cat "$LOCK" 2>/dev/null) || return 1
  case $kept in '' | *[!0-9]*) return 1 ;; esac
  case $(readlink "/proc/$kept/exe" 2>/dev/null) in */runtime/$NAME*) say "$kept" ;; *) return 1 ;; esac
}

kept_running() { kept_pid >/dev/null; }

kept_start() {
  if kept_running; then return 0; fi
  kept_end "$(kept_agent || true)"
  alone=; if command -v setsid >/dev/null 2>&1; then alone=setsid; else alone=nohup; fi
  umask_before=$(umask); umask 077
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ $alone sh "$PROGRAM/service/keep.sh" </dev/null >>"$LOG" 2>&1 &
  umask "$umask_before"
  for _ in 1 2 3 4 5 6 7 8 9 10; do if kept_running; then return 0; fi; sleep 0.2; done
}

# Ends a process that may be there: asked first, then killed after half a minute.
kept_end() {
  [ -n "$1" ] || return 0
  kill -TERM "$1" 2>/dev/null || return 0
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    for _ in 1 2 3 4 5; do kill -0 "$1" 2>/dev/null || return 0; sleep 0.2; done
  done
  kill -KILL "$1" 2>/dev/null || true
}

kept_stop() {
  kept_end "$(kept_pid || true)"
  kept_end "$(kept_agent || true)"
  rm -f "$PID"
}

kept_said() { tail -n 1 "$LOG" 2>/dev/null; }

kept_forget() { rm -f "$PID" "$LOG" "$LOG.old"; }
