"""An installation to which nobody has signed in yet, and a host on which nothing is installed."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from agent.packaging.linux.build import build
from deploy.local.deployment import Deployment
from tests.e2e.pages.browser import chromium
from tests.lab.host import Host
from tests.lab.lab import Lab

PERSON, PASSWORD = "ops", "a-quite-long-password"
HOST = "dmz-shop-01"
"""No other installation of the session's lab may have a host of this name: it would be the same host."""


@dataclass
class Stand:
    """What stands."""

    folder: Path
    server: Deployment
    host: Host
    browser: Browser
    origin: str  # by the address that hosts reach too


@contextmanager
def stand(root: Path, lab: Lab) -> Iterator[Stand]:
    """Everything, gone afterwards."""
    runtime, _ = build(root, root / "build/release", None)
    folder = root / "build/tests" / f"pages-{secrets.token_hex(4)}"
    folder.mkdir(parents=True, mode=0o700)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        server = stack.enter_context(
            Deployment(
                folder / "server", root=root, listen=("127.0.0.1:0", f"{lab.address}:0"), names=("keyturn", lab.address)
            )
        )
        server.admin("runtime", "add", str(runtime), "--keys", str(server.keys), "--store-url", server.store.url)
        host, desk = lab.host(HOST), lab.host("desk")
        for each in (host, desk):
            stack.callback(each.down)
            each.boot()
        browser = stack.enter_context(chromium(desk, folder))
        port = server.gateway_url.rsplit(":", 1)[1]
        yield Stand(folder, server, host, browser, f"https://{lab.address}:{port}")
