# The way on a host with SysV init: a script in /etc/init.d, linked into the run levels by the tool that the host has.
SERVICE_FILE=/etc/init.d/$NAME
SERVICE_WORDS="the SysV service $NAME"

service_test() { where=; said=$("$AGENT" self-test 2>&1); }

service_write() {
  cat >"$SERVICE_FILE.new" <<EOF
#!/bin/sh
# chkconfig: 2345 95 05
# description: Keyturn agent: resets and proves passwords, and only calls out
### BEGIN INIT INFO
# Provides:          $NAME
# Required-Start:    \$remote_fs \$network
# Required-Stop:     \$remote_fs \$network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Keyturn agent: resets and proves passwords, and only calls out
### END INIT INFO
. $PROGRAM/service/places.sh
. $PROGRAM/service/kept.sh
case \${1:-} in
  start) kept_start ;;
  stop) kept_stop ;;
  restart | force-reload) kept_stop; kept_start ;;
  status) "\$AGENT" status --state "\$STATE" ;;
  *) echo "usage: \$0 start | stop | restart | status" >&2; exit 2 ;;
esac
EOF
  chmod 0755 "$SERVICE_FILE.new"
  mv -f "$SERVICE_FILE.new" "$SERVICE_FILE"
}

# The folders of the run levels, as Debian and as Red Hat lay them.
sysv_levels() { for at in /etc/rc /etc/rc.d/rc; do [ ! -d "${at}3.d" ] || say "$at"; done; }

sysv_linked() { ls /etc/rc[2345].d/S[0-9][0-9]"$NAME" /etc/rc.d/rc[2345].d/S[0-9][0-9]"$NAME" 2>/dev/null | grep -q .; }

service_register() {
  if command -v update-rc.d >/dev/null 2>&1; then update-rc.d "$NAME" defaults >/dev/null 2>&1 || true
  elif command -v chkconfig >/dev/null 2>&1; then chkconfig --add "$NAME" >/dev/null 2>&1 || true
  fi
  if sysv_linked; then return 0; fi
  # Either tool leaves the links to another one that some hosts do not have.
  for at in $(sysv_levels); do
    for level in 2 3 4 5; do ln -sf "../init.d/$NAME" "$at$level.d/S95$NAME"; done
    for level in 0 1 6; do [ ! -d "$at$level.d" ] || ln -sf "../init.d/$NAME" "$at$level.d/K05$NAME"; done
  done
}

service_running() { kept_running; }
service_start() { kept_start; }
service_stop() { kept_stop; }
service_said() { kept_said; }
service_forget() {
  kept_stop
  rm -f "$SERVICE_FILE"
  if command -v update-rc.d >/dev/null 2>&1; then update-rc.d "$NAME" remove >/dev/null 2>&1 || true
  elif command -v chkconfig >/dev/null 2>&1; then chkconfig --del "$NAME" >/dev/null 2>&1 || true
  fi
  rm -f /etc/rc[0-6S].d/[SK][0-9][0-9]"$NAME" /etc/rc.d/rc[0-6].d/[SK][0-9][0-9]"$NAME"
  kept_forget
}
service_again="with the host, or with: sh \"$0\" start"
