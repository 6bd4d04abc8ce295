"""`python -m tests.demo [--once]`: what `make demo` runs.

On a terminal it stays up afterwards until Ctrl-C; with `--once` it ends by itself. Exit status: 0 shown whole, 1 not.
"""

import argparse
import json
import secrets
import shutil
import signal
import sys
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from agent.packaging.linux.pack import BuildError
from deploy.local.errors import LocalError
from libs.cli.profile import Profile, Profiles
from libs.client.errors import ClientError
from libs.wire.secret import Secret
from tests.demo.screen import Screen
from tests.demo.story import PERSON, Story, StoryError
from tests.lab.errors import LabError, LabInUseError
from tests.lab.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
_ENDS = (signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description="One reset on a real host, from set-up to proof.")
    parser.add_argument("--once", action="store_true", help="end by itself, also on a terminal")
    once = parser.parse_args().once or not sys.stdout.isatty()
    if (sentence := Lab.available()) is not None:
        print(f"The demo boots a real host, and cannot: {sentence}", file=sys.stderr)
        return 1
    for number in _ENDS:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    screen = Screen()
    try:
        with ExitStack() as stack:
            lab, folder = _place(stack)
            try:
                _show(stack, lab, Story(ROOT, folder, screen), once=once)
            finally:
                # Asked once is enough: what ends now is not interrupted on its way.
                for number in (signal.SIGINT, *_ENDS):
                    signal.signal(number, signal.SIG_IGN)
    except KeyboardInterrupt:
        screen.say("", "Stopped, and everything that was started is gone.")
        return 130 if once else 0
    except (StoryError, LabError, LocalError, ClientError, BuildError) as error:
        print(f"\nThe demo ended early: {error}", file=sys.stderr)
        return 1
    return 0


def _place(stack: ExitStack) -> tuple[Lab, Path]:
    """A lab and an empty folder of this run's own: two demos at the same time do not meet, and what a killed one left
    is taken away by the next.
    """
    for number in count(1):
        lab, folder = Lab(ROOT / "build/demo" / f"lab-{number}"), ROOT / "build/demo" / f"run-{number}"
        try:
            stack.enter_context(lab)
        except LabInUseError:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return lab, folder
    raise AssertionError("numbers do not end")


def _show(stack: ExitStack, lab: Lab, story: Story, *, once: bool) -> None:
    story.screen.title("Keyturn: one password, reset and proven on a machine that nobody can reach")
    runtime = story.runtime()
    server = story.server(lab, runtime)
    stack.callback(server.stop)
    host = story.boot(lab)
    client, password = story.sign_in(server)
    stack.callback(client.close)
    built = story.package(client, server)
    story.install(host, built)
    account = story.discover(client)
    new = Secret(f"Typed-by-{PERSON}-{secrets.token_hex(6)}")
    story.change(client, host, account, new)
    story.verify(client, account)
    story.reveal(client, account, new)
    story.prove(host, new)
    story.looks(client)
    report = ROOT / "build/demo/report.json"
    whole = round(sum(story.screen.seconds.values()), 3)
    told = {"seconds": whole, "steps": story.screen.seconds, "reset": story.timings}
    aside = story.folder / "report.json"
    aside.write_text(json.dumps(told, indent=2) + "\n")
    aside.replace(report)
    if once:
        story.screen.say("", f"Shown in {whole:.0f} s; each step's seconds are in {report.relative_to(ROOT)}.")
        return
    config = story.folder / "keyturn.json"
    session = client.sign_in(PERSON, password)
    kept = story.folder / "password"
    kept.touch(0o600)
    kept.write_bytes(password.reveal() + b"\n")
    Profiles({"KEYTURN_CONFIG": str(config)}).save(
        "default", Profile(server.gateway_url, str(server.ca_file), session.token)
    )
    story.screen.say(
        "",
        f"It stays up at {server.gateway_url}, and {PERSON} is signed in. In another terminal, look around:",
        f"  export KEYTURN_CONFIG='{config}' PATH=\"{ROOT}/.venv/bin:$PATH\"",
        "  keyturn accounts list dmz-web-01",
        "  keyturn reset dmz-web-01/root --generate",
        "  keyturn reveal dmz-web-01/root --reason 'to look around'",
        f"Or open it in a browser, as {PERSON} with the password in {kept.relative_to(ROOT)}.",
        "Ctrl-C ends it and leaves nothing running.",
    )
    signal.pause()


if __name__ == "__main__":
    sys.exit(main())
