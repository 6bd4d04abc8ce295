#!/bin/sh
# Puts the Keyturn agent on this host as a service:
#   sh installAgent-service.sh install | start | stop | restart | status | doctor | remove [--purge]
# The next line lets the script run also after an editor on another system gave it CR LF line ends.
if [ -z "${KEYTURN_LF:-}" ] && grep -q "$(printf '\r')" "$0" 2>/dev/null; then KEYTURN_LF=1; export KEYTURN_LF; exec sh -c "$(tr -d '\r' <"$0")" "$0" "$@"; fi #
set -eu
umask 022
unset CDPATH

HERE=$(cd -- "$(dirname -- "$0")" && pwd -P)
PATIENCE=${KEYTURN_PATIENCE:-60}  # seconds for which `start` waits for the server's first answer

fail() { printf '%s\n' "$*" >&2; exit 1; }

PARTS="places kept keep systemd sysv plain"
for part in $PARTS; do
  [ -f "$HERE/service/$part.sh" ] || fail "$HERE/service/$part.sh is missing: unpack the whole package, then run this script from its folder."
done
part() { tr -d '\r' <"$HERE/service/$1.sh"; }
eval "$(part places)"
eval "$(part kept)"

# Which way a service is kept on this host. A host with /etc/init.d whose first process is something else starts nothing
# from there, as in a container.
way_of_host() {
  if [ -d /run/systemd/system ]; then say systemd; return; fi
  if [ -d /etc/init.d ] && [ "$(cat /proc/1/comm 2>/dev/null)" = init ] && { [ -d /etc/rc3.d ] || [ -d /etc/rc.d/rc3.d ]; }; then
    say sysv
    return
  fi
  say plain
}
WAY=$(way_of_host)
eval "$(part "$WAY")"

need_root() { [ "$(id -u)" = 0 ] || fail "This needs root: sudo sh \"$0\" $1"; }

need_package() {
  [ "$HERE" != "$PROGRAM" ] || fail "This is the installed agent: run install from the folder of an unpacked package."
  for part in "runtime/$NAME" runtime/turn.sh runtime/glibc runtime/machine agent.conf trust.pem keys/task.pem keys/configuration.pem; do
    [ -f "$HERE/$part" ] || fail "$HERE/$part is missing: unpack the whole package, then run this script from its folder."
  done
}

# The program carries its own Python but uses the host's C library, so this comes before anything is run or copied.
need_glibc() {
  needs=$(tr -cd '0-9.' <"$HERE/runtime/glibc")
  has=$(getconf GNU_LIBC_VERSION 2>/dev/null | tr -cd '0-9.')
  [ -n "$has" ] || fail "This host has no glibc, and the agent needs glibc $needs or newer."
  oldest=$(printf '%s\n%s\n' "$needs" "$has" | sort -t . -k 1,1n -k 2,2n | head -n 1)
  [ "$oldest" = "$needs" ] || fail "This host has glibc $has, and the agent needs glibc $needs or newer: ask for a portable package."
}

need_machine() {
  needs=$(tr -d '\r\n' <"$HERE/runtime/machine")
  has=$(uname -m)
  [ "$needs" = "$has" ] || fail "This package is for $needs, and this host is $has: ask for a package for $has."
}

installed() { [ -x "$AGENT" ] && { [ -z "$SERVICE_FILE" ] || [ -f "$SERVICE_FILE" ]; }; }

need_installed() {
  mend
  installed && return 0
  [ ! -x "$AGENT" ] || fail "The agent was installed for another service manager than this host has now: sh \"$0\" install"
  fail "The agent is not installed: sh \"$0\" install"
}

copy_program() {
  rm -rf "$PROGRAM.new"
  mkdir -p "$PROGRAM.new/service"
  cp -R -- "$HERE/runtime" "$HERE/keys" "$HERE/trust.pem" "$PROGRAM.new/"
  for part in manifest.json manifest.sig runtime.json token; do
    [ ! -f "$HERE/$part" ] || cp -- "$HERE/$part" "$PROGRAM.new/$part"
  done
  # The script goes along, so that the agent can be removed after the package's folder is gone.
  for part in $PARTS; do part "$part" >"$PROGRAM.new/service/$part.sh"; done
  tr -d '\r' <"$0" >"$PROGRAM.new/installAgent-service.sh"
  tr -d '\r' <"$HERE/runtime/turn.sh" >"$PROGRAM.new/turn.sh"  # starts the program, and turns to a newer one and back
  # A zip may have been unpacked without modes and under any umask: each is set here.
  chown -R 0:0 "$PROGRAM.new"
  find "$PROGRAM.new" -type d -exec chmod 0755 {} +
  find "$PROGRAM.new" -type f -exec chmod 0644 {} +
  chmod 0755 "$PROGRAM.new/runtime/$NAME"
  [ ! -f "$PROGRAM.new/token" ] || chmod 0600 "$PROGRAM.new/token"
}

check_conf() {
  code=0
  wrong=$("$PROGRAM.new/runtime/$NAME" check-config --conf "$1" 2>&1) || code=$?
  [ "$code" != 0 ] || return 0
  rm -rf "$PROGRAM.new"
  [ "$code" != 78 ] || fail "Nothing was installed, because of a setting: $wrong"
  fail "Nothing was installed, because the program does not run on this host (status $code): $wrong"
}

put_conf() {
  mkdir -p "$CONF"; chmod 0755 "$CONF"
  if [ -f "$CONF/agent.conf" ]; then
    say "Kept the settings in $CONF/agent.conf."
  else
    # Only root reads it: Proxy may hold a password.
    cp -- "$HERE/agent.conf" "$CONF/agent.conf"; chown 0:0 "$CONF/agent.conf"; chmod 0600 "$CONF/agent.conf"
    say "Settings are in $CONF/agent.conf."
  fi
}

# An installation that ended between two renames: the program before is the one there is.
mend() { [ -d "$PROGRAM" ] || [ ! -d "$PROGRAM.old" ] || put_back; }

# The program before is kept until the new one was answered by the server. One that never was is not kept: the one
# before it is.
swap() {
  rm -rf "$PROGRAM.gone"
  if [ -d "$PROGRAM.old" ]; then
    mv "$PROGRAM" "$PROGRAM.gone"
  elif [ -d "$PROGRAM" ]; then
    mv "$PROGRAM" "$PROGRAM.old"
    if [ -n "$SERVICE_FILE" ] && [ -f "$SERVICE_FILE" ]; then cp "$SERVICE_FILE" "$PROGRAM.old/service.before"; fi
    [ -z "$1" ] || : >"$PROGRAM.old/was-well"
  fi
  mv "$PROGRAM.new" "$PROGRAM"
  rm -rf "$PROGRAM.gone"
}

put_back() {
  rm -rf "$PROGRAM.gone"
  [ ! -d "$PROGRAM" ] || mv "$PROGRAM" "$PROGRAM.gone"
  mv "$PROGRAM.old" "$PROGRAM"
  if [ -n "$SERVICE_FILE" ] && [ -f "$PROGRAM/service.before" ]; then mv -f "$PROGRAM/service.before" "$SERVICE_FILE"; fi
  rm -rf "$PROGRAM.gone" "$PROGRAM/was-well" "$PROGRAM/service.before"
  service_register >/dev/null
}

label() {
  if command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then
    set -- "$PROGRAM" "$CONF" "$STATE"
    if [ -n "$SERVICE_FILE" ] && [ -f "$SERVICE_FILE" ]; then set -- "$@" "$SERVICE_FILE"; fi
    restorecon -R "$@"
  fi
}

install_agent() {
  need_root install; need_package; need_machine; need_glibc
  mend
  copy_program
  if [ -f "$CONF/agent.conf" ]; then check_conf "$CONF/agent.conf"; else check_conf "$HERE/agent.conf"; fi
  again=; was_well=
  # A host that got systemd since the agent was installed.
  if [ "$WAY" = systemd ] && kept_running; then again=1; kept_stop; fi
  if installed && service_running; then
    again=1
    if "$AGENT" status --state "$STATE" >/dev/null 2>&1; then was_well=1; fi
    service_stop
  fi
  put_conf
  mkdir -p "$STATE"; chmod 0700 "$STATE"
  swap "$was_well"
  label
  code=0; where=; said=
  service_test || code=$?
  service_write
  label
  service_register
  say "Installed the agent in $PROGRAM as $SERVICE_WORDS."
  if [ "$code" = 0 ]; then say "Tested$where: $said."
  else say "Installed, but passwords cannot be set on this host yet: $said"
  fi
  if [ -n "$again" ]; then start_agent; else say "Start it with: sh \"$0\" start"; fi
}

# Waits for the server's first answer; leaves what the agent says in `said` and its status in `code`.
comes_up() {
  service_start
  rounds=0
  until=$(($(date +%s) + PATIENCE))  # by the clock, because a round is as long as the host is slow
  while :; do
    code=0
    said=$("$AGENT" status --state "$STATE" 2>&1) || code=$?
    [ "$code" != 0 ] || return 0
    [ "$code" != 4 ] || return 1  # trying again does not help
    rounds=$((rounds + 1))
    if ! service_running && [ "$rounds" -gt 2 ]; then return 1; fi
    [ "$(date +%s)" -lt "$until" ] || return 1
    sleep 0.2
  done
}

start_agent() {
  need_root start; need_installed
  if comes_up; then
    rm -rf "$PROGRAM.old"
    say "Started: $said."
    return 0
  fi
  if service_running; then
    why="The service runs and goes on trying, but it is not well: $said."
  elif [ "$code" = 4 ]; then
    why="The service does not run: $said."
  else
    last=$(service_said || true)
    why="The service did not stay up. It said: ${last:-$said}"
  fi
  # Where the program before was not well either, the new one may be the remedy, and goes on trying.
  if [ ! -d "$PROGRAM.old" ] || { service_running && [ ! -f "$PROGRAM.old/was-well" ]; }; then fail "$why"; fi
  service_stop
  put_back
  if comes_up; then fail "The new program did not come up, so the one before runs again. $why"; fi
  fail "The new program did not come up, so the one before was put back; it is not well either: $said. $why"
}

stop_agent() {
  need_root stop; need_installed
  service_stop
  say "Stopped. It starts again $service_again"
}

# First what only this host knows goes to the server, and the server learns that the agent leaves. A host that cannot
# reach it loses nothing by that: nothing is removed.
say_goodbye() {
  [ -x "$AGENT" ] || return 0
  ran=; if service_running; then ran=1; service_stop; fi
  code=0
  said=$("$AGENT" leave --conf "$CONF/agent.conf" --package "$PROGRAM" --state "$STATE" --seconds "$1" 2>&1) || code=$?
  if [ "$code" = 0 ]; then say "Before it goes: $said."; return 0; fi
  if [ -n "$2" ]; then say "The server was not told, and what only this host knew is lost: $said."; return 0; fi
  [ -z "$ran" ] || service_start
  fail "Nothing was removed, because the server does not know yet that the agent leaves: $said. Try again when that is mended, or lose what only this host knows: sh \"$0\" remove --purge"
}

remove_agent() {
  need_root remove
  mend
  case ${1:-} in
    '') say_goodbye "$PATIENCE" "" ;;
    --purge) say_goodbye 5 purge ;;
    *) printf 'usage: sh "%s" remove [--purge]\n' "$0" >&2; exit 2 ;;
  esac
  service_forget
  # What was installed for another service manager than this host has now.
  kept_stop
  kept_forget
  rm -f "/etc/systemd/system/$NAME.service" "/etc/init.d/$NAME"
  rm -rf "$PROGRAM" "$PROGRAM.new" "$PROGRAM.old" "$PROGRAM.gone" "$CONF" "$STATE" "$LOCK"
  say "Removed the agent, its settings, its keys and its journal from this host."
}

show_status() {
  installed || { say "The agent is not installed."; exit 3; }
  "$AGENT" status --state "$STATE"
}

see_doctor() {
  need_root doctor
  [ -x "$AGENT" ] || { say "The agent is not installed."; exit 3; }
  "$AGENT" doctor --conf "$CONF/agent.conf" --package "$PROGRAM" --state "$STATE"
}

case ${1:-} in
  install) install_agent ;;
  start) start_agent ;;
  stop) stop_agent ;;
  restart) stop_agent >/dev/null; start_agent ;;
  remove) remove_agent "${2:-}" ;;
  status) show_status ;;
  doctor) see_doctor ;;
  *) printf 'usage: sh "%s" install | start | stop | restart | status | doctor | remove [--purge]\n' "$0" >&2; exit 2 ;;
esac
exit
