"""`keyturn-server roll KIND STEP`: one step of a roll-over, the notice that follows from it, and who follows."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.followers import followers, told
from deploy.admin.keys import load_release, public_pem
from deploy.admin.kinds import FILES, Kind
from deploy.admin.notices import made, newest, publish
from deploy.admin.rolls import Phase, Roll, Step
from deploy.admin.vault_key import forgets, not_sealed_again
from libs.pki.check import issued_by, load_authority

Keys = Annotated[Path, typer.Option(help="The folder of keys that init made.")]
Private = Annotated[Path | None, typer.Option(help="The administrator's folder; KEYS/admin unless given.")]
Store = Annotated[str | None, typer.Option(help="mongodb://HOST:PORT/ without credentials: shows who follows.")]
Release = Annotated[Path | None, typer.Option(help="The new release's public key, to announce it.")]


def add_roll(app: typer.Typer) -> None:
    """Adds the command."""

    @app.command(name="roll")
    def roll(
        kind: Kind,
        step: Step,
        keys: Keys,
        *,
        store_url: Store = None,
        private: Private = None,
        release: Release = None,
    ) -> None:
        """Roll a key over: announce, use, retire, end; back leads back from each; status says where it stands."""
        one = Roll(keys, FILES[kind])
        if kind is Kind.VAULT:
            _keep_readable(one, step, store_url, private or keys / layout.ADMIN)
        take(one, step, None if release is None else public_pem(load_release(release)))
        if store_url is not None:
            for line in asyncio.run(_followed(kind, keys, store_url, private or keys / layout.ADMIN)):
                print(line)


def _keep_readable(roll: Roll, step: Step, url: str | None, private: Path) -> None:
    """Refuses a step after which a version of the vault might open no more."""
    if not forgets(step, roll.phase):
        return
    if url is None:
        raise AdminError(f"name --store-url: {step.value} needs to see that every version is sealed to the key in use")
    left = asyncio.run(not_sealed_again(roll.folder, url, private=private))
    if left:
        raise AdminError(
            f"{left} versions are not sealed to the key in use yet; restart the scheduler, which seals them, and wait"
        )


def take(roll: Roll, step: Step, given: bytes | None = None) -> None:
    """Takes the step, makes the notice, and says what to do next.

    Raises:
        AdminError: the step does not follow, or something cannot be read or written.
    """
    now = time.time_ns() // 1_000_000
    if step is not Step.STATUS:
        # `back` says no phase, so what was interrupted before its notice was made is only ended by it.
        tells = roll.files.tells
        known = tells and step is Step.BACK and newest(roll.folder) is not None
        serial = publish(roll.folder, now=now) if known else None
        if serial is None:
            roll.take(step, now=now, given=given)
            serial = publish(roll.folder, now=now) if tells else None
        roll.withdrawn()
        if serial is not None:
            print(made(serial))
    print(f"{roll.files.kind}: {roll.phase.value}. {_next(roll)}")


def _next(roll: Roll) -> str:
    restart = roll.files.restart
    return {
        Phase.STEADY: f"Restart {restart}, unless no roll-over was under way.",
        Phase.ANNOUNCED: f"Restart {restart}. When agents follow: use. The way back: back.",
        Phase.IN_USE: f"Restart {restart}. When agents follow: retire. The way back: back.",
        Phase.RETIRED: f"Restart {restart}. The old key is trusted no more: end deletes it. The way back: back.",
    }[roll.phase]


async def _followed(kind: Kind, keys: Path, url: str, private: Path) -> list[str]:
    if kind is Kind.VAULT:
        left = await not_sealed_again(keys, url, private=private)
        return [
            f"{left} versions are not sealed to the key in use yet." if left else "All is sealed to the key in use."
        ]
    if kind is Kind.SESSION:
        return []
    agents = await followers(url, private=private)
    if kind is Kind.AGENTS:
        authority = load_authority(keys / layout.PUBLIC / "agent-ca.pem")
        behind = [each for each in agents if not issued_by(each.certified, authority)]
        return told(agents, behind, "have a certificate of the authority in use")
    notice = newest(keys)
    if notice is None:
        return ["No notice was ever made, so there is nothing to follow."]
    behind = [each for each in agents if each.notice < notice.serial]
    return told(agents, behind, f"follow notice {notice.serial}")
