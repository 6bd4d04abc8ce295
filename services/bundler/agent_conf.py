"""agent.conf as a package carries it: nothing needs editing, and each line says what it is for."""

from libs.wire.requests import ComposeContent

_TEXT = """\
# Settings of the Keyturn agent. A change takes effect when the service is restarted:
#     sh installAgent-service.sh restart
# A line is Key=value. Lines that begin with # are remarks.

# The Keyturn server: its name or its address. Its certificate must carry it, and come from trust.pem beside this file.
ServerName={server_name}

# The one port, for agents and for people's browsers. The agent always calls; nothing calls this machine.
ServerPort={server_port}

# The longest time between two contacts, in seconds (5 to 86400). An idle agent holds its call and is woken at once.
ScheduleInterval={schedule_interval}

# The Keyturn user under whom this machine is added at the agent's first start.
UserName={user_name}

# Further settings, as they are without a line:
#Proxy=
#TrustFile=
#LogLevel=info
#ResourceName=

# Whether the agent takes newer releases of itself from the server (on or off), and in which hours of this host's day.
#Upgrade=on
#UpgradeWindow=0-24
"""


def agent_conf(content: ComposeContent) -> bytes:
    """The file, UTF-8 with LF."""
    return _TEXT.format(
        server_name=content.server_name,
        server_port=content.server_port,
        schedule_interval=content.schedule_interval,
        user_name=content.user_name,
    ).encode()
