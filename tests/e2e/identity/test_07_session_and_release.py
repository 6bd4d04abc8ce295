"""Story 7: the session secret and the release key are rolled over, and back from each phase."""

import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.packaging.linux.build import NAME
from deploy.admin.keys import public_pem
from deploy.admin.kinds import Kind
from deploy.local.errors import StartError
from libs.client.errors import ClientError
from libs.wire.release import RUNTIME_MANIFEST
from tests.e2e.identity.rolling import follows, keyturn_server, restart, sets, steps
from tests.e2e.site import Site, until
from tests.unit.bundler.runtimes import signed_runtime

pytestmark = [pytest.mark.real, pytest.mark.host]


def test_the_session_secret_forth_and_back_from_each_phase(running: Site) -> None:
    account = running.add_account("in-session")
    ways = (("announce",), ("back",), ("announce", "use"), ("back",), ("use", "retire"), ("back",))
    for n, names in enumerate(ways):
        steps(running, Kind.SESSION, *names)
        restart(running, "gateway")
        sets(running, account, f"In-a-session-{n}")
    steps(running, Kind.SESSION, "use", "retire", "end")
    restart(running, "gateway")
    sets(running, account, "In-a-session-at-the-end")


def runtime_by(site: Site, key: Ed25519PrivateKey, name: str) -> Path:
    """This system's runtime, as another release would have signed it."""
    with zipfile.ZipFile(site.root / "build/release" / NAME) as archive:
        files = {
            each.filename: (each.external_attr >> 16 & 0o777, archive.read(each))
            for each in archive.infolist()
            if each.filename != RUNTIME_MANIFEST
        }
    path = site.folder / name
    path.write_bytes(signed_runtime(key, files))
    return path


def test_the_release_key_forth_and_back_from_each_phase(rolled: Site) -> None:
    key = Ed25519PrivateKey.generate()
    pem, runtime = rolled.folder / "next.pem", runtime_by(rolled, key, "next.zip")
    pem.write_bytes(public_pem(key.public_key()))
    publish = (
        "runtime",
        "add",
        str(runtime),
        "--keys",
        str(rolled.server.keys),
        "--store-url",
        rolled.server.store.url,
    )
    with pytest.raises(StartError, match="not signed by the release key"):
        keyturn_server(rolled, *publish)
    with pytest.raises(StartError, match="--release PEM"):
        steps(rolled, Kind.RELEASE, "announce")
    steps(rolled, Kind.RELEASE, "announce", more=("--release", str(pem)))
    follows(rolled)
    steps(rolled, Kind.RELEASE, "back")
    steps(rolled, Kind.RELEASE, "announce", more=("--release", str(pem)))
    steps(rolled, Kind.RELEASE, "use", "back", "use", "retire")
    restart(rolled, "bundler")
    with pytest.raises(ClientError, match="not signed by the release key"):
        rolled.package("of-the-retired-release.zip")  # and the way back from there
    steps(rolled, Kind.RELEASE, "back")
    restart(rolled, "bundler")
    rolled.package("of-the-old-release.zip")
    assert "Published runtime" in keyturn_server(rolled, *publish)
    steps(rolled, Kind.RELEASE, "use", "retire", "end")
    restart(rolled, "bundler")
    host = rolled.lab.host("dmz-released-01")
    host.boot()
    try:
        rolled.install(host)
        until(lambda: rolled.find("root", host.name), "the resource")
        follows(rolled, host)
        follows(rolled)
    finally:
        host.down()
