"""Story 1: tokens. Whom a package lets in, and that nobody comes in by a copy of it or by a name."""

import base64
import hashlib
import zipfile
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.client import models
from libs.client.client import Bounds
from libs.wire.identity import agent_csr
from tests.e2e.hunt import store_of
from tests.e2e.site import FOLDER, OLD, PERSON, Site, until
from tests.e2e.test_05_enrolment import says
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]

TOKEN = "/opt/keyturn-agent/token"
STATE = "/var/lib/keyturn-agent"


@dataclass
class Imagined:
    """A machine of our own making, with its two keys, that asks the gateway as an agent would."""

    name: str = "imagined"
    signing: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    def enrols(self, site: Site, token: str) -> httpx.Response:
        csr = agent_csr(self.signing, self.sealing.public_key())
        body = {
            "token": token,
            "user_name": PERSON,
            "resource_name": self.name,
            "platform": "linux",
            "csr": base64.b64encode(csr).decode(),
            "host": {"hostname": self.name, "system": "Debian"},
        }
        with site.http() as http:
            return http.post("/agent/v1/enrol", json=body)


def token_of(site: Site, name: str, **bounds: object) -> str:
    """The token in a package that was just built within these bounds."""
    built = site.package(f"{name}.zip", Bounds(lifetime_seconds=3_600, **bounds))  # type: ignore[arg-type]
    with zipfile.ZipFile(built) as package:
        return package.read("token").decode().strip()


def refusal(answer: httpx.Response) -> tuple[str, str]:
    """Code and sentence."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.json()["code"], answer.json()["detail"]


def test_a_used_token_is_good_for_its_key_alone_and_a_copy_is_an_incident(running: Site) -> None:
    token, machine, thief = token_of(running, "twice"), Imagined("twice"), Imagined("thief")
    first = machine.enrols(running, token)
    assert first.status_code == httpx.codes.OK, first.text
    assert machine.enrols(running, token).json() == first.json()  # the answer was lost, say
    assert refusal(thief.enrols(running, token))[0] == "token_used"
    incident = until(
        lambda: next((each for each in running.client.incidents() if each.host_name == "thief"), None), "the incident"
    )
    assert (incident.kind, incident.user_name) == ("token_used_by_another_key", PERSON)
    assert incident.address in incident.sentence


def test_a_token_has_an_end_and_can_be_given_one(running: Site) -> None:
    late, revoked = token_of(running, "late"), token_of(running, "revoked")
    hashes = {hashlib.sha256(each.encode()).hexdigest(): each for each in (late, revoked)}
    with store_of(running.server) as store:
        documents = {
            hashes[each["sha256"]]: each for each in store["trust"]["tokens"].find() if each["sha256"] in hashes
        }
        store["trust"]["tokens"].update_one({"_id": documents[late]["_id"]}, {"$set": {"expires": 1}})
    assert refusal(Imagined().enrols(running, late))[0] == "token_expired"
    assert running.client.revoke_token(documents[revoked]["_id"]).state == "revoked"
    assert refusal(Imagined().enrols(running, revoked))[0] == "token_revoked"
    states = {each.id: each.state for each in running.client.tokens()}
    assert states[documents[late]["_id"]] == "expired"


def test_a_token_may_be_tied_to_names_and_networks(running: Site) -> None:
    token = token_of(running, "bound", host_pattern="dmz-*", networks=("127.0.0.0/8",))
    code, sentence = refusal(Imagined("web-01").enrols(running, token))
    assert (code, "'web-01'" in sentence, "dmz-*" in sentence) == ("token_host_not_allowed", True, True)
    elsewhere = token_of(running, "elsewhere", networks=("203.0.113.0/24",))
    code, sentence = refusal(Imagined("dmz-app-07").enrols(running, elsewhere))
    assert (code, "127.0.0.1" in sentence, "203.0.113.0/24" in sentence) == ("token_network_not_allowed", True, True)
    assert Imagined("DMZ-APP-07").enrols(running, token).status_code == httpx.codes.OK


def waits(site: Site, host: Host) -> models.Enrolment:
    """The enrolment of a host that waits."""

    def look() -> models.Enrolment | None:
        found = site.client.enrolments(state="waiting")
        return next((each for each in found if each.host_name == host.name), None)

    return until(look, f"{host.name} to wait")


def machines(site: Site, name: str) -> list[models.Resource]:
    return [each for each in site.client.resources() if each.name.startswith(name)]


def test_a_machine_waits_for_a_person_and_a_known_one_comes_back_with_all_it_had(running: Site) -> None:
    host = running.lab.host("dmz-web-03")
    host.boot()
    try:
        host.add_user("deploy", OLD)
        running.install(host, start=False)
        host.write(TOKEN, token_of(running, "roll-out", uses=5, approval=True).encode(), 0o600)
        start = host.run(["sh", f"{FOLDER}/installAgent-service.sh", "start"], text=True, check=False, timeout=60)
        assert (start.returncode, "approval_pending" in start.stderr) == (1, True)
        found = waits(running, host)
        assert found.id in start.stderr  # what the machine's administrator tells who may approve
        assert machines(running, host.name) == []
        running.client.settle(found.id, approve=True)
        host.run(["systemctl", "restart", "keyturn-agent.service"])  # sooner than it would ask by itself
        deploy = until(lambda: running.find("deploy", host.name), "its account")
        assert running.resets(deploy, "Before-the-disk-was-lost-1").state == "done"

        # The disk is lost, and with it the keys. By its name alone it would be another machine.
        (known,) = machines(running, host.name)
        host.run(["systemctl", "stop", "keyturn-agent.service"])
        host.run(["rm", "-rf", STATE])
        host.write(TOKEN, token_of(running, "again", for_resource=known.id).encode(), 0o600)
        host.run(["systemctl", "restart", "keyturn-agent.service"])
        again = waits(running, host)
        assert again.for_resource is not None
        assert again.for_resource.id == known.id
        until(partial(says, host, "approval_pending"), "the word approval_pending")
        (untouched,) = machines(running, host.name)
        assert untouched.agent is not None
        assert known.agent is not None
        assert untouched.agent.id == known.agent.id
        assert running.account(deploy).status == "in_sync"
        proven = running.account(deploy).proof
        running.client.settle(again.id, approve=True)
        host.run(["systemctl", "restart", "keyturn-agent.service"])

        def compared() -> models.Account | None:
            seen = running.account(deploy)
            return seen if seen.status == "in_sync" and seen.proof != proven else None

        until(compared, "the comparison")
        assert running.revealed(deploy) == [b"Before-the-disk-was-lost-1"]
        (now,) = machines(running, host.name)
        assert now.agent is not None
        assert (now.id, now.agent.id != known.agent.id) == (known.id, True)
    finally:
        host.down()


def test_a_known_name_by_an_ordinary_package_is_another_machine(running: Site) -> None:
    before = running.find("root")
    assert Imagined(running.host.name).enrols(running, token_of(running, "name")).status_code == httpx.codes.OK
    added = until(
        lambda: next((each for each in machines(running, running.host.name) if each.name != running.host.name), None),
        "the other machine",
    )
    assert added.name == f"{running.host.name}-{added.id[-6:]}"
    assert running.find("root") == before
