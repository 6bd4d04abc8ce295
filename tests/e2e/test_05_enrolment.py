"""Story 5: tokens and signatures. What is wrong has its own code, and leaves nothing half-made."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from libs.wire.encoding import canonical
from libs.wire.http_signature import sign
from libs.wire.identity import agent_csr
from tests.e2e.hunt import store_of
from tests.e2e.site import FOLDER, PERSON, Site, until
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]

Forge = Callable[[dict[str, str]], dict[str, str]]


def enrol(site: Site, token: str, more: dict[str, object]) -> httpx.Response:
    """An enrolment as an agent would ask for it."""
    signing = generate_private_key(SECP256R1())
    body = {
        "token": token,
        "user_name": PERSON,
        "resource_name": "imagined",
        "platform": "linux",
        "csr": base64.b64encode(agent_csr(signing, X25519PrivateKey.generate().public_key())).decode(),
        "host": {"hostname": "imagined", "system": "Debian"},
        **more,
    }
    with site.http() as http:
        return http.post("/agent/v1/enrol", json=body)


def known(site: Site) -> set[str]:
    """The agents and resources that there are."""
    return {each.id for each in site.client.agents()} | {each.id for each in site.client.resources()}


def used_token(site: Site) -> str:
    return site.host.read("/opt/keyturn-agent/token").decode().strip()


@pytest.mark.parametrize(
    ("token", "more", "code"),
    [
        (lambda _: secrets.token_urlsafe(32), {}, "token_unknown"),
        (used_token, {}, "token_used"),
        (used_token, {"user_name": "nobody"}, "user_name_unknown"),
        (used_token, {"csr": base64.b64encode(b"garbage").decode()}, "csr_invalid"),
    ],
)
def test_a_wrong_enrolment_has_its_own_code_and_makes_nothing(
    running: Site, token: Callable[[Site], str], more: dict[str, object], code: str
) -> None:
    before = known(running)
    answer = enrol(running, token(running), more)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert known(running) == before


def test_an_agent_with_a_wrong_token_says_so_and_begins_when_it_has_a_right_one(running: Site) -> None:
    host = running.lab.host("dmz-web-02")
    host.boot()
    try:
        running.install(host, start=False)
        begin = ["env", "KEYTURN_PATIENCE=3600", "sh", f"{FOLDER}/installAgent-service.sh", "start"]
        place = "/opt/keyturn-agent/token"
        good = host.read(place)
        before = known(running)
        tokens = {
            "token_unknown": secrets.token_urlsafe(32).encode(),
            "token_used": running.host.read(place),
            "token_expired": good,
        }
        with store_of(running.server) as store:
            of_good = {"sha256": hashlib.sha256(good.strip()).hexdigest()}
            document = store["trust"]["tokens"].find_one(of_good)
            assert document is not None
            store["trust"]["tokens"].update_one(of_good, {"$set": {"expires": 1}})
            for code, token in tokens.items():
                host.write(place, token, 0o600)
                host.run(["systemctl", "restart", "keyturn-agent.service"])
                until(partial(says, host, code), f"the word {code}")
                # Nobody waits an hour for what waiting does not mend.
                start = host.run(begin, text=True, check=False, timeout=60)
                assert (start.returncode, code in start.stderr) == (1, True)
                assert host.run(["test", "-e", "/var/lib/keyturn-agent/identity.json"], check=False).returncode == 1
            assert known(running) == before
            store["trust"]["tokens"].update_one(of_good, {"$set": {"expires": document["expires"]}})
        host.run(["systemctl", "restart", "keyturn-agent.service"])
        until(lambda: running.find("root", "dmz-web-02"), "the second resource")
        assert len(known(running)) == len(before) + 2  # the agent, and its resource
    finally:
        host.down()


def says(host: Host, code: str) -> bool | None:
    """Whether the agent's status on a host tells this code; None while it does not."""
    line = ["sh", f"{FOLDER}/installAgent-service.sh", "status"]
    return code in host.run(line, text=True, check=False).stdout or None


class Signer:
    """An installed agent's own key, in an attacker's hands as far as each test lets it."""

    def __init__(self, site: Site, host: Host | None = None) -> None:
        on = host or site.host
        key = load_pem_private_key(on.read("/var/lib/keyturn-agent/identity.key"), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        self.key, self.site = key, site
        self.agent = json.loads(on.read("/var/lib/keyturn-agent/identity.json"))["agent"]
        self.body = canonical({"version": 1, "agent": self.agent})

    def headers(self, path: str = "/agent/v1/fetch", *, body: bytes | None = None, seconds: int = 0) -> dict[str, str]:
        now = time.time_ns() // 1_000_000 + seconds * 1_000
        nonce = secrets.token_urlsafe(18)
        return sign("POST", path, self.body if body is None else body, self.key, key=self.agent, nonce=nonce, now=now)

    def post(self, headers: dict[str, str], path: str = "/agent/v1/fetch", host: str | None = None) -> httpx.Response:
        more = {"content-type": "application/json"} | ({"host": host} if host else {})
        with self.site.http() as http:
            return http.post(path, content=self.body, headers=headers | more)


def test_hostile_signatures(running: Site) -> None:
    signer = Signer(running)
    codes = {
        "another path": signer.post(signer.headers("/agent/v1/report")),
        "another body": signer.post(signer.headers(body=b"{}")),
        "another tag": signer.post(
            {name: value.replace("keyturn-agent/1", "other") for name, value in signer.headers().items()}
        ),
        "an old one": signer.post(signer.headers(seconds=-3_600)),
        "none": signer.post({}),
    }
    assert {what: answer.json()["code"] for what, answer in codes.items()} == {
        "another path": "signature_invalid",
        "another body": "signature_invalid",
        "another tag": "signature_invalid",
        "an old one": "clock_skew",
        "none": "signature_missing",
    }
    assert codes["an old one"].json()["server_time"] > 0
    once = signer.headers()
    assert signer.post(once).status_code == httpx.codes.OK
    again = signer.post(once)
    assert (again.status_code, again.json()["code"]) == (httpx.codes.UNAUTHORIZED, "nonce_used")
    assert signer.post(signer.headers(), host="balancer.example").status_code == httpx.codes.OK
