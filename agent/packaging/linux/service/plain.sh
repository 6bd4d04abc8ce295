# The way on a host that has neither systemd nor SysV init: nothing starts the agent again after a reboot.
SERVICE_FILE=
SERVICE_WORDS="a daemon that its own keeper watches"

service_test() { where=; said=$("$AGENT" self-test 2>&1); }
service_write() { :; }
service_register() {
  say "This host has neither systemd nor SysV init. The agent is started again whenever it ends, but a reboot will not"
  say "start it: have whatever starts this host run   sh $PROGRAM/installAgent-service.sh start"
}
service_running() { kept_running; }
service_start() { kept_start; }
service_stop() { kept_stop; }
service_said() { kept_said; }
service_forget() { kept_stop; kept_forget; }
service_again="and not by itself after a reboot: sh \"$0\" start"
