#!/bin/sh
# Installs, starts, stops and removes the Keyturn agent:   sh installAgent-service.sh install | start | stop | remove | status
# The next line lets the script run also after an editor on another system gave it CR LF line ends.
if [ -z "${KEYTURN_LF:-}" ] && grep -q "$(printf '\r')" "$0" 2>/dev/null; then KEYTURN_LF=1; export KEYTURN_LF; exec sh -c "$(tr -d '\r' <"$0")" "$0" "$@"; fi #
set -eu
umask 022
unset CDPATH

NAME=keyturn-agent
PROGRAM=/opt/$NAME
CONF=/etc/$NAME
STATE=/var/lib/$NAME
UNIT=/etc/systemd/system/$NAME.service
AGENT=$PROGRAM/runtime/$NAME
HERE=$(cd -- "$(dirname -- "$0")" && pwd -P)
PATIENCE=${KEYTURN_PATIENCE:-60}  # seconds for which `start` waits for the server's first answer

# The unit's sandbox. /etc stays writable, because the host's own tool replaces /etc/shadow; the capabilities are those
# that it was seen to need; homes can be read, because a TrustFile may lie there. `install` proves inside this very
# sandbox that a password can be set.
SANDBOX="NoNewPrivileges=yes
ProtectSystem=yes
ProtectHome=read-only
PrivateTmp=yes
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectClock=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_SETUID CAP_SETGID CAP_AUDIT_WRITE CAP_KILL
LimitCORE=0
TasksMax=64
MemoryMax=256M"

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || fail "This needs root: sudo sh \"$0\" $1"; }

need_systemd() {
  [ -d /run/systemd/system ] || fail "This host does not run systemd, which this version of the installer needs."
}

need_package() {
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

installed() { [ -x "$AGENT" ] && [ -f "$UNIT" ]; }
running() { systemctl is-active --quiet "$NAME.service"; }

copy_program() {
  rm -rf "$PROGRAM.new"
  mkdir -p "$PROGRAM.new"
  cp -R -- "$HERE/runtime" "$HERE/keys" "$HERE/trust.pem" "$PROGRAM.new/"
  for part in manifest.json manifest.sig runtime.json token; do
    [ ! -f "$HERE/$part" ] || cp -- "$HERE/$part" "$PROGRAM.new/$part"
  done
  cp -- "$HERE/runtime/turn.sh" "$PROGRAM.new/turn.sh"  # starts the program, and turns to a newer one and back
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

write_unit() {
  {
    say "[Unit]"
    say "Description=Keyturn agent: resets and proves passwords, and only calls out"
    say "Wants=network-online.target"
    say "After=network-online.target"
    say "StartLimitIntervalSec=0"
    say ""
    say "[Service]"
    say "ExecStart=/bin/sh $PROGRAM/turn.sh run --conf $CONF/agent.conf --package $PROGRAM --state $STATE"
    say "Restart=always"
    say "RestartSec=5"
    say "RestartPreventExitStatus=4 78"
    say "KillMode=mixed"
    say "TimeoutStopSec=30"
    say "UMask=0077"
    say "$SANDBOX"
    say ""
    say "[Install]"
    say "WantedBy=multi-user.target"
  } >"$UNIT.new"
  chmod 0644 "$UNIT.new"
  mv -f "$UNIT.new" "$UNIT"
}

label() {
  if command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then restorecon -R "$PROGRAM" "$CONF" "$STATE" "$UNIT"; fi
}

# Runs the agent's self-test under the same bounds as the unit, so that a sandbox which forbids the work is found now.
self_test() {
  set --
  while IFS= read -r line; do set -- "$@" -p "$line"; done <<EOF
$SANDBOX
EOF
  said=$(systemd-run --quiet --wait --pipe --collect "$@" "$AGENT" self-test 2>&1) || {
    say "Installed, but passwords cannot be set on this host yet: $said"
    return 0
  }
  say "Tested inside the service's sandbox: $said."
}

install_agent() {
  need_root install; need_package; need_machine; need_glibc; need_systemd
  copy_program
  if [ -f "$CONF/agent.conf" ]; then check_conf "$CONF/agent.conf"; else check_conf "$HERE/agent.conf"; fi
  again=; if running; then again=1; systemctl stop "$NAME.service"; fi
  mkdir -p "$CONF"; chmod 0755 "$CONF"
  if [ -f "$CONF/agent.conf" ]; then
    say "Kept the settings in $CONF/agent.conf."
  else
    # Only root reads it: Proxy may hold a password.
    cp -- "$HERE/agent.conf" "$CONF/agent.conf"; chown 0:0 "$CONF/agent.conf"; chmod 0600 "$CONF/agent.conf"
    say "Settings are in $CONF/agent.conf."
  fi
  mkdir -p "$STATE"; chmod 0700 "$STATE"
  rm -rf "$PROGRAM.old"
  [ ! -d "$PROGRAM" ] || mv "$PROGRAM" "$PROGRAM.old"
  mv "$PROGRAM.new" "$PROGRAM"
  rm -rf "$PROGRAM.old"
  write_unit
  label
  systemctl daemon-reload
  systemctl enable --quiet "$NAME.service"
  say "Installed the agent in $PROGRAM as the service $NAME."
  self_test
  if [ -n "$again" ]; then start_agent; else say "Start it with: sh \"$0\" start"; fi
}

start_agent() {
  need_root start; need_systemd
  installed || fail "The agent is not installed: sh \"$0\" install"
  systemctl reset-failed "$NAME.service" 2>/dev/null || true
  systemctl start "$NAME.service"
  rounds=0
  until=$(($(date +%s) + PATIENCE))  # by the clock, because a round is as long as the host is slow
  while :; do
    code=0
    said=$("$AGENT" status --state "$STATE") || code=$?
    if [ "$code" = 0 ]; then say "Started: $said."; return 0; fi
    [ "$code" != 4 ] || break  # trying again does not help
    rounds=$((rounds + 1))
    if ! running && [ "$rounds" -gt 2 ]; then break; fi
    [ "$(date +%s)" -lt "$until" ] || break
    sleep 0.2
  done
  if running; then
    fail "The service runs and goes on trying, but it is not well: $said."
  fi
  [ "$code" != 4 ] || fail "The service does not run: $said."
  fail "The service did not stay up. It said: $(journalctl -u "$NAME.service" -n 1 -o cat --no-pager 2>/dev/null || say "$said")"
}

stop_agent() {
  need_root stop; need_systemd
  installed || fail "The agent is not installed."
  systemctl stop "$NAME.service"
  say "Stopped. It starts again with the host, or with: sh \"$0\" start"
}

remove_agent() {
  need_root remove; need_systemd
  systemctl disable --now --quiet "$NAME.service" 2>/dev/null || true
  rm -f "$UNIT"
  systemctl daemon-reload
  systemctl reset-failed "$NAME.service" 2>/dev/null || true
  rm -rf "$PROGRAM" "$PROGRAM.new" "$PROGRAM.old" "$CONF" "$STATE" "/run/$NAME.lock"
  say "Removed the agent, its settings, its keys and its journal from this host."
}

show_status() {
  installed || { say "The agent is not installed."; exit 3; }
  "$AGENT" status --state "$STATE"
}

case ${1:-} in
  install) install_agent ;;
  start) start_agent ;;
  stop) stop_agent ;;
  restart) stop_agent >/dev/null; start_agent ;;
  remove) remove_agent ;;
  status) show_status ;;
  *) printf 'usage: sh "%s" install | start | stop | restart | remove | status\n' "$0" >&2; exit 2 ;;
esac
