# Where the agent lies on a host, for all who read this with a dot.
NAME=keyturn-agent
PROGRAM=/opt/$NAME
CONF=/etc/$NAME
STATE=/var/lib/$NAME
AGENT=$PROGRAM/runtime/$NAME
PID=/run/$NAME.pid
LOCK=/run/$NAME.lock
LOG=/var/log/$NAME.log

say() { printf '%s\n' "$*"; }
