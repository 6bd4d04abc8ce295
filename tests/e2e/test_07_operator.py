"""What an operator does beside the services: an export, the recovery key, and the store put back to a copy."""

import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.site import Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]


def operate(site: Site, *words: str | Path, online: bool = True) -> subprocess.CompletedProcess[str]:
    """`keyturn-server`, with the running store's address only where it needs one."""
    where = ["--keys", str(site.server.keys), "--store-url", site.server.store.url] if online else []
    command = [sys.executable, "-m", "deploy.admin", *map(str, words), *where]
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(command, cwd=site.root, env=environment, capture_output=True, text=True, check=False)


def test_the_recovery_key_opens_an_export_without_any_server(running: Site) -> None:
    account = running.add_account("recovered")
    assert running.resets(account, "Known-to-the-vault-1").state == "done"
    export = running.folder / "vault.export"
    made = operate(running, "vault", "export", export)
    assert (made.returncode, made.stderr) == (0, "")
    assert export.stat().st_mode & 0o777 == 0o600
    assert b"Known-to-the-vault-1" not in export.read_bytes()
    name = f"{running.host.name}/recovered"
    key = running.server.state / "recovery.key"
    opened = operate(running, "recovery-key", "open", export, "--key", key, "--account", name, online=False)
    assert opened.stdout.split("\t")[0::3] == [name, "Known-to-the-vault-1\n"], opened.stderr
    assert running.host.opens("recovered", b"Known-to-the-vault-1")
    again = operate(running, "vault", "export", export)
    assert (again.returncode, "is there already" in again.stderr) == (1, True)


def test_the_vault_is_put_back_to_a_copy_and_knows_again_what_the_agents_keep(running: Site) -> None:
    changed, first = running.add_account("changed-since"), running.add_account("managed-since")
    assert running.resets(changed, "Before-the-copy-1").state == "done"
    server, copy = running.server, running.folder / "copy"
    server.store.stop()
    shutil.copytree(server.store.state, copy)
    server.store.restart()
    assert running.resets(changed, "After-the-copy-2").state == "done"
    assert running.resets(first, "After-the-copy-3").state == "done"
    server.store.stop()
    shutil.rmtree(server.store.state)
    copy.rename(server.store.state)
    server.store.restart()
    told = operate(running, "restored")
    assert (told.returncode, told.stderr) == (0, "")
    assert "takes back from the agents what the\nvault no longer knows." in told.stdout
    # The scheduler's witness may have noticed before the operator said so, and what was asked in between is refused.
    epoch = int(told.stdout.split()[1])
    until(partial(_everybody_knows, running, epoch), f"everybody to be told of {epoch}", 60)
    for account, password in ((changed, b"After-the-copy-2"), (first, b"After-the-copy-3")):
        until(partial(_known, running, account.id, password), account.name, 120)
        assert running.host.opens(account.name, password)
    ended = running.resets(changed, "After-the-restore-4")
    assert ended.state == "done", ended
    assert running.host.opens("changed-since", b"After-the-restore-4")


def _everybody_knows(site: Site, epoch: int) -> bool | None:
    lines = map(json.loads, (site.server.logs / "scheduler.log").read_text("utf-8").splitlines())
    told = "every account was told of the restore"
    return any(line.get("event") == told and line["epoch"] == epoch for line in lines) or None


def _known(site: Site, account: str, password: bytes) -> bool | None:
    seen = site.client.account(account)
    if seen.status != "in_sync":
        return None
    return [each.password.reveal() for each in site.client.reveal(account, "a test")] == [password] or None
