"""What the stories of roll-overs share: an operator's steps, and which notice an agent follows."""

from deploy.admin.kinds import FILES, Kind
from deploy.admin.notices import newest
from deploy.admin.rolls import Phase, Roll
from libs.client import models
from tests.e2e.site import PATIENCE, Site, until
from tests.lab.host import Host

NOTICE = "/var/lib/keyturn-agent/notice.json"


def keyturn_server(site: Site, *words: str) -> str:
    """What an operator's command says."""
    before = (site.server.logs / "admin.log").stat().st_size
    site.server.admin(*words)
    return (site.server.logs / "admin.log").read_bytes()[before:].decode()


def steps(site: Site, kind: Kind, *names: str, more: tuple[str, ...] = ()) -> str:
    """An operator takes these steps; what the last one says."""
    said = ""
    for name in names:
        said = keyturn_server(
            site,
            "roll",
            kind.value,
            name,
            "--keys",
            str(site.server.keys),
            "--store-url",
            site.server.store.url,
            *more,
        )
    return said


def phase(site: Site, kind: Kind) -> Phase:
    return Roll(site.server.keys, FILES[kind]).phase


def restart(site: Site, *services: str) -> None:
    for name in services:
        site.server.process(name).restart()


def follows(site: Site, host: Host | None = None, seconds: float = 90.0) -> None:
    """The agent has taken the newest notice, and has told so."""
    notice = newest(site.server.keys)
    assert notice is not None
    where = host or site.host

    def look() -> bool | None:
        said = steps(site, Kind.TASKS, "status")
        return (f"follow notice {notice.serial}" in said and f"not yet: {where.name} " not in said) or None

    until(look, f"{where.name} to follow notice {notice.serial}", seconds)


def restart_agent(site: Site, host: Host | None = None) -> None:
    (host or site.host).run(["systemctl", "restart", "keyturn-agent.service"], timeout=60)


def sets(site: Site, account: models.Account, password: str, seconds: float = PATIENCE) -> None:
    """A reset is carried out and proven, and what is revealed is what the host has."""
    ended = site.ends(site.reset(account, password), seconds)
    assert ended.state == "done", ended
    assert site.revealed(account)[0] == password.encode()
