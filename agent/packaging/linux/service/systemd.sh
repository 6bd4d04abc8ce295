# The way on a host with systemd: a unit whose sandbox was tried before it is written.
SERVICE_FILE=/etc/systemd/system/$NAME.service
SERVICE_WORDS="the service $NAME"

# What every unit has. The capabilities are those that the host's own tool was seen to need; homes can be read, because a
# TrustFile may lie there; /etc stays writable, because the tool replaces /etc/shadow.
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
MemoryMax=256M
CPUQuota=100%"

# What it has besides where the host's tools work under it: `install` tries. The state's folder is systemd's to make: where
# a host lost it, a path that is only named would keep the service from starting for ever.
HARDER="ProtectSystem=strict
ReadWritePaths=/etc
ReadWritePaths=/run
ReadWritePaths=$PROGRAM
StateDirectory=$NAME
StateDirectoryMode=0700
ReadWritePaths=-/var/lib/sss
PrivateDevices=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
KeyringMode=private
SystemCallFilter=@system-service"

# The agent's self-test under the bounds of a unit, a line each.
sandboxed() {
  bounds=$1
  set --
  while IFS= read -r line; do set -- "$@" -p "$line"; done <<EOF
$bounds
EOF
  systemd-run --quiet --wait --pipe --collect "$@" "$AGENT" self-test 2>&1
}

# Chooses the sandbox: the harder one where passwords can be set in it, else the other one.
service_test() {
  if said=$(sandboxed "$SANDBOX
$HARDER"); then
    SANDBOX="$SANDBOX
$HARDER"
    where=" inside the service's sandbox"
    return 0
  fi
  where=" inside the service's sandbox, a milder one because of this: $said. In it"
  said=$(sandboxed "$SANDBOX")
}

service_write() {
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
  } >"$SERVICE_FILE.new"
  chmod 0644 "$SERVICE_FILE.new"
  mv -f "$SERVICE_FILE.new" "$SERVICE_FILE"
}

service_register() {
  systemctl daemon-reload
  systemctl enable --quiet "$NAME.service"
}

service_running() { systemctl is-active --quiet "$NAME.service"; }
service_start() {
  systemctl reset-failed "$NAME.service" 2>/dev/null || true
  systemctl start "$NAME.service"
}
service_stop() { systemctl stop "$NAME.service"; }
service_said() { journalctl -u "$NAME.service" -n 1 -o cat --no-pager 2>/dev/null; }
service_forget() {
  systemctl disable --now --quiet "$NAME.service" 2>/dev/null || true
  rm -f "$SERVICE_FILE"
  systemctl daemon-reload
  systemctl reset-failed "$NAME.service" 2>/dev/null || true
}
service_again="with the host, or with: sh \"$0\" start"
