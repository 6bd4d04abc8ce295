"""The doctor's judgement: each finding from what was seen, and what a person reads of it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.backends import account_lock
from agent.backends.ports import Busy
from agent.backends.preflight import Obstacle
from agent.doctor import accounts, admission, host, server
from agent.doctor.accounts import Ground
from agent.doctor.admission import Standing
from agent.doctor.finding import Finding
from agent.doctor.host import Place
from agent.doctor.page import page, well
from agent.doctor.visit import Visit
from libs.wire.reasons import Reason
from libs.wire.troubles import WORDS, Trouble, remedy_of

WELL = Visit(
    "keyturn",
    7272,
    addresses=("10.77.0.1",),
    issuer="CN=Keyturn servers",
    status=200,
    media="application/json",
    server_clock=1_000_000,
    host_clock=1_030_000,
)
PROXIED = replace(WELL, proxy="http://proxy:3128", proxy_status=200)
GROUND = Ground(user=0, capabilities=0b1011, has_tool=True)
PLACE = Place("/var/lib/keyturn-agent", 10**9, "systemd", installed=True, running=True)
LET_IN = Standing("ops", agent="agt_1")
NEW = Standing("ops", token=True)


def codes(found: list[Finding]) -> list[str]:
    return [str(each.code) for each in found if each.code is not None]


def test_where_all_is_well_each_thing_is_named_and_the_end_says_so() -> None:
    found = [*server.findings(WELL), *admission.findings(LET_IN), *accounts.findings(GROUND), *host.findings(PLACE)]
    assert codes(found) == []
    assert well(found)
    shown = page(found)
    assert shown.endswith("All is well.")
    assert "issued by CN=Keyturn servers" in shown
    assert max(map(len, shown.splitlines())) <= 100
    whats = {each.what for each in [*found, *server.findings(PROXIED)]}
    assert whats >= {
        *("server name", "port", "TLS", "clock", "token", "privilege", "account files", "their lock"),
        *("disk", "service", "SELinux", "proxy", "tunnel"),
    }


@pytest.mark.parametrize(
    ("visit", "code", "words"),
    [
        (Visit("gw", 1, name_error="Name or service not known"), "server_name_unknown", "gw has no address"),
        (Visit("gw", 1, connect_error="Connection refused"), "no_contact", "gw:1 cannot be reached: Connection"),
        (Visit("gw", 1, "http://p:1", name_error="no"), "proxy_unreachable", "http://p:1"),
        (Visit("gw", 1, "http://p:1", connect_error="no"), "proxy_unreachable", "http://p:1 cannot be reached"),
        (replace(PROXIED, proxy_status=407), "proxy_needs_sign_in", "407"),
        (replace(PROXIED, proxy_status=503), "proxy_in_the_way", "503"),
        (replace(PROXIED, proxy_status=None), "proxy_in_the_way", "nothing that is HTTP"),
        (replace(WELL, tls_error="wrong version number"), "proxy_in_the_way", "does not speak TLS"),
        (replace(WELL, trust_error="unable to get issuer", issuer="CN=Box"), "certificate_not_trusted", "CN=Box"),
        (replace(WELL, media="text/html"), "proxy_in_the_way", "status 200, text/html"),
        (replace(WELL, status=None, media=""), "proxy_in_the_way", "nothing"),
        (replace(WELL, host_clock=37_000_000), "clock_skew", "36000 s ahead of"),
        (replace(WELL, host_clock=0), "clock_skew", "1000 s behind"),
    ],
)
def test_the_way_to_the_server_ends_at_the_first_obstacle(visit: Visit, code: str, words: str) -> None:
    found = server.findings(visit)
    assert codes(found) == [code]
    assert not found[-1].well
    assert words in found[-1].seen
    assert well(found) == (code == "clock_skew"), "the agent goes by the server's clock"


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (Standing("ops"), "token_missing"),
        (replace(NEW, token_error="/opt/keyturn-agent/token is damaged"), "package_damaged"),
        (replace(NEW, said="token_used: This token was used."), "token_refused"),
        (replace(NEW, said="user_name_unknown: Nobody has this name."), "user_name_unknown"),
        (NEW, "not_let_in"),
        (replace(LET_IN, said="agent_quarantined: Two machines."), "agent_quarantined"),
        (replace(LET_IN, revoked="agent_revoked: stolen"), "agent_revoked"),
    ],
)
def test_what_the_server_thinks_of_this_machine(standing: Standing, code: str) -> None:
    assert code in codes(admission.findings(standing))


@pytest.mark.parametrize(
    ("ground", "code", "words"),
    [
        (replace(GROUND, user=1000), "no_privilege", "user 1000"),
        (replace(GROUND, capabilities=0b1010), "no_privilege", "CAP_CHOWN"),
        (replace(GROUND, has_tool=False), "tool_missing", "chpasswd"),
        (replace(GROUND, crypt_error="no libcrypt"), "crypt_unavailable", "no libcrypt"),
        (replace(GROUND, obstacle=Obstacle(Reason.ETC_READ_ONLY, "read-only")), "etc_read_only", "read-only"),
        (replace(GROUND, busy=Busy(7, "held by process 7 (vipw)")), "account_db_busy", "7 (vipw)"),
    ],
)
def test_what_keeps_a_password_from_being_set(ground: Ground, code: str, words: str) -> None:
    found = accounts.findings(ground)
    assert codes(found) == [code]
    assert words in page(found)


SHADOW, PROGRAM = "/etc/shadow", "/opt/keyturn-agent/runtime/keyturn-agent"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (replace(PLACE, free_bytes=1024), "state_disk_full"),
        (replace(PLACE, free_bytes=None), "state_disk_full"),
        (replace(PLACE, installed=False), "service_not_installed"),
        (replace(PLACE, running=False, service_said="failed, exit status 78"), "service_not_running"),
        (replace(PLACE, labels={PROGRAM: "unconfined_u:object_r:user_tmp_t:s0"}), "selinux_label"),
        (replace(PLACE, labels={SHADOW: "system_u:object_r:etc_t:s0"}), "selinux_label"),
        (replace(PLACE, labels={SHADOW: "unlabeled_t"}), "selinux_label"),
    ],
)
def test_what_the_host_lacks(place: Place, code: str) -> None:
    assert codes(host.findings(place)) == [code]
    labels = {SHADOW: "system_u:object_r:shadow_t:s0", PROGRAM: "system_u:object_r:usr_t:s0"}
    assert codes(host.findings(replace(PLACE, labels=labels))) == []


def test_every_code_has_its_words_and_the_first_remedy_is_said_last() -> None:
    assert set(WORDS) == set(Trouble)
    assert not {str(each) for each in Trouble} & {str(each) for each in Reason}, "a code has one meaning"
    assert remedy_of("never_heard_of") == ""
    found = [
        Finding("clock", "an hour ahead", Trouble.CLOCK_SKEW, grave=False),
        Finding("disk", "full", Trouble.STATE_DISK_FULL),
        Finding("service", "not running", Trouble.SERVICE_NOT_RUNNING),
    ]
    lines = page(found).splitlines()
    assert lines[-1] == f"Not well. First: {WORDS[Trouble.STATE_DISK_FULL].remedy}"
    assert page(found[:1]).endswith("The agent can work; 1 remark above.")


def test_who_holds_the_lock_is_asked_without_taking_it(tmp_path: Path) -> None:
    lock = tmp_path / ".pwd.lock"
    assert account_lock.asked(lock) is None
    assert not lock.exists()
    lock.touch()
    assert account_lock.asked(lock) is None
    program = (
        f"import fcntl,sys; f=open({str(lock)!r},'w'); fcntl.lockf(f,2); print('held',flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        busy = account_lock.asked(lock)
        assert busy is not None
        assert busy.holder == holder.pid
        assert f"process {holder.pid} (python" in busy.sentence
        holder.communicate()
    assert account_lock.asked(lock) is None
