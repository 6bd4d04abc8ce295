"""What happens inside the private /etc: `python -m tests.integration.agent_backend.scenarios NAME`, the answer as JSON.

It runs in a mount namespace of its own, in which /etc is a copy; accounts made here exist nowhere else.
"""

# ruff: noqa: ASYNC220, ASYNC221, ASYNC222, ASYNC230, ASYNC240 - nothing else runs in the loop of a scenario

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from agent.backends.chpasswd import Chpasswd
from agent.backends.crypt import load_crypt
from agent.backends.directory import ask_getent
from agent.backends.linux_local import LinuxLocal, open_linux_local
from agent.backends.ports import Bounds
from agent.host.processes import birth_of
from libs.wire.secret import Secret

UID = 4_711
OLD = "Old-Pass-1"
NEW = "Neu-Wort: 2 \t ü"
SHADOW = Path("/etc/shadow")


def quiet(*command: str, stdin: bytes = b"") -> None:
    subprocess.run(command, input=stdin, check=True, capture_output=True)


def make_account(name: str = "k1", uid: int = UID, password: str = OLD) -> None:
    quiet("useradd", "-M", "-u", str(uid), "-s", "/bin/bash", name)
    quiet("chpasswd", stdin=f"{name}:{password}\n".encode())


def field(name: str = "k1") -> str:
    lines = SHADOW.read_text().splitlines()
    return next(line.split(":")[1] for line in lines if line.startswith(f"{name}:"))


def opens(password: str, name: str = "k1") -> bool:
    """An answer that does not come from the backend: perl's crypt, which asks the same libcrypt another way."""
    stored = field(name).lstrip("!")
    program = "exit(crypt($ENV{P}, $ENV{H}) eq $ENV{H} ? 0 : 1)"
    return subprocess.run(["perl", "-e", program], env={"P": password, "H": stored}, check=False).returncode == 0


def backend(seconds: float = 60.0, lock_seconds: float = 20.0, command: tuple[str, ...] = ("chpasswd",)) -> LinuxLocal:
    return LinuxLocal(
        root=Path("/"),
        tool=Chpasswd(os.environ, command=command, seconds=seconds),
        crypt=load_crypt(),
        who_answers=ask_getent(os.environ, Path("/etc/nsswitch.conf")),
        lock_seconds=lock_seconds,
        reap_seconds=1.0,
    )


def plain(answer: Any) -> dict[str, Any]:
    def simple(value: Any) -> Any:
        return sorted(value) if isinstance(value, frozenset) else value

    return {name: simple(value) for name, value in dataclasses.asdict(answer).items()}


def no_started(_pid: int, _birth: int) -> None:
    return


async def set_new(password: str = NEW, *, name: str = "k1", uid: int = UID, unlock: bool = False) -> dict[str, Any]:
    return plain(await open_linux_local().set(name, uid, Secret(password), unlock=unlock, started=no_started))


async def reset() -> dict[str, Any]:
    make_account()
    mode = SHADOW.stat()
    pids: list[tuple[int, int, bytes, bool]] = []

    def started(pid: int, birth: int) -> None:
        pids.append((pid, birth, Path(f"/proc/{pid}/cmdline").read_bytes(), opens(OLD)))

    answer = await open_linux_local().set("k1", UID, Secret(NEW), unlock=False, started=started)
    compared = await open_linux_local().compare("k1", UID, Secret(NEW))
    after = SHADOW.stat()
    return {
        "answer": plain(answer),
        "new_opens": opens(NEW),
        "old_opens": opens(OLD),
        "compared": plain(compared),
        "old_at_start": pids[0][3],
        "secret_in_argv": NEW.encode() in pids[0][2],
        "birth": pids[0][1] > 0,
        "mode_kept": (mode.st_mode, mode.st_uid, mode.st_gid) == (after.st_mode, after.st_uid, after.st_gid),
        "left_over": [
            path.name for path in Path("/etc").iterdir() if path.match("*keyturn*") or path.name == "nshadow"
        ],
    }


async def injection() -> dict[str, Any]:
    make_account()
    make_account("k2", UID + 1, "Other-Pass-1")
    before = field(), field("k2")
    answers = [await set_new(text) for text in ("first\nk2:injected", "a\rb", "a\0b", "x" * 512, "")]
    longest = await set_new("y" * 511)
    return {
        "answers": answers,
        "untouched": before[1] == field("k2"),
        "longest": longest,
        "longest_opens": opens("y" * 511),
    }


async def locked() -> dict[str, Any]:
    make_account()
    quiet("usermod", "-L", "k1")
    seen: list[str] = []

    def started(_pid: int, _birth: int) -> None:
        seen.append(field())

    answer = await open_linux_local().set("k1", UID, Secret(NEW), unlock=False, started=started)
    after = field()
    compared = await open_linux_local().compare("k1", UID, Secret(NEW))
    unlocked = await set_new("Drei-3-Drei", unlock=True)
    return {
        "answer": plain(answer),
        "mark_kept": after.startswith("!$"),
        "compared": plain(compared),
        "unlocked": unlocked,
        "mark_gone": not field().startswith("!"),
        "opens": opens("Drei-3-Drei"),
    }


async def never_had() -> dict[str, Any]:
    before = field("daemon")
    answer = await set_new(name="daemon", uid=1)
    same = field("daemon") == before
    unlock = await set_new(name="daemon", uid=1, unlock=True)
    return {"answer": answer, "same": same, "unlock": unlock, "opens": opens(NEW, "daemon")}


@contextlib.contextmanager
def lock_taken() -> Iterator[None]:
    program = "import fcntl,time;f=open('/etc/.pwd.lock','w');fcntl.lockf(f,2);print(1,flush=True);time.sleep(600)"
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        yield
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


async def busy() -> dict[str, Any]:
    make_account()
    with lock_taken():
        one = backend(lock_seconds=0.3)
        answer = await one.set("k1", UID, Secret(NEW), unlock=False, started=no_started)
        settled = await one.settle()
    return {"answer": plain(answer), "holder": settled is not None and settled.holder, "old_opens": opens(OLD)}


async def times_out() -> dict[str, Any]:
    """The lock is taken between our look at it and the tool's: the tool waits, is killed, and changes nothing later."""
    make_account()
    with contextlib.ExitStack() as stack:

        def started(_pid: int, _birth: int) -> None:
            stack.enter_context(lock_taken())

        answer = await backend(seconds=1.0).set("k1", UID, Secret(NEW), unlock=False, started=started)
    await asyncio.sleep(1)
    return {"answer": plain(answer), "old_opens": opens(OLD), "new_opens": opens(NEW)}


async def killed_agent() -> dict[str, Any]:
    """Case 10: the agent is killed while its tool waits for the lock; nothing may land afterwards."""
    make_account()
    reading, writing = os.pipe()
    with lock_taken():
        child = os.fork()
        if child == 0:

            def started(pid: int, birth: int) -> None:
                os.write(writing, f"{pid} {birth}\n".encode())

            one = LinuxLocal(
                root=Path("/"), tool=Chpasswd(os.environ), crypt=load_crypt(),
                who_answers=ask_getent(os.environ, Path("/nonexistent")), lock_seconds=0,
            )  # fmt: skip
            one._lock_file = Path(
                "/etc/.another.lock"
            )  # the look at the lock is passed, as if it came a moment earlier
            with asyncio.Runner() as runner:
                runner.run(one.set("k1", UID, Secret(NEW), unlock=False, started=started))
            os._exit(0)
        pid, birth = (int(word) for word in os.read(reading, 100).split())
        await asyncio.sleep(0.5)
        alive_before = birth_of(pid) == birth
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        reaped = await backend().reap(pid, birth)
    settled = await backend().settle()
    await asyncio.sleep(1)
    compared = await backend().compare("k1", UID, Secret(NEW))
    return {
        "alive_before": alive_before,
        "reaped": reaped,
        "settled": settled is None,
        "compared": plain(compared),
        "old_opens": opens(OLD),
    }


async def hurdle(prepare: Callable[[], None], repair: Callable[[], None]) -> dict[str, Any]:
    make_account()
    before = field()
    prepare()
    try:
        answer = await set_new()
        still = field()
    finally:
        repair()
    return {"answer": answer, "same": still == before}


async def read_only() -> dict[str, Any]:
    return await hurdle(
        lambda: quiet("mount", "-o", "remount,bind,ro", "/etc"), lambda: quiet("mount", "-o", "remount,bind,rw", "/etc")
    )


async def immutable() -> dict[str, Any]:
    answer = await hurdle(lambda: quiet("chattr", "+i", "/etc/shadow"), lambda: None)
    listed = subprocess.run(["lsattr", "/etc/shadow"], check=True, capture_output=True, text=True).stdout.split()[0]
    quiet("chattr", "-i", "/etc/shadow")
    return answer | {"still_immutable": "i" in listed}


async def mounted() -> dict[str, Any]:
    def prepare() -> None:
        quiet("cp", "-a", "/etc/shadow", "/etc/shadow.copy")
        quiet("mount", "--bind", "/etc/shadow.copy", "/etc/shadow")

    return await hurdle(prepare, lambda: quiet("umount", "/etc/shadow"))


async def full() -> dict[str, Any]:
    def prepare() -> None:
        quiet("mkdir", "/etc-small")
        quiet("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", "/etc-small")
        quiet("cp", "-a", "/etc/.", "/etc-small/")
        quiet("mount", "--move", "/etc-small", "/etc")
        subprocess.run(["dd", "if=/dev/zero", "of=/etc/filler", "bs=4k"], check=False, capture_output=True)

    return await hurdle(prepare, lambda: quiet("rmdir", "/etc-small"))


async def no_chown() -> dict[str, Any]:
    """What a unit without CAP_CHOWN can do."""
    make_account()
    before = field()
    command = ["setpriv", "--bounding-set", "-chown", "--inh-caps", "-chown", sys.executable, "-m", __spec__.name]
    done = subprocess.run([*command, "only_set"], check=True, capture_output=True)
    return {"answer": json.loads(done.stdout), "same": field() == before}


async def only_set() -> dict[str, Any]:
    return await set_new()


async def bad_lines() -> dict[str, Any]:
    make_account()
    with Path("/etc/passwd").open("ab") as file:
        file.write(
            b"+::::::\n+@admins::::::\n-guest::::::\nlat\xe4:x:1700:100::/:/bin/sh\n:x:1600:100::/:/bin/sh\n"
            b"big:x:4294967296:100::/:/bin/sh\ntoor:x:0:0::/root:/bin/sh\nk1:x:9:9::/:/bin/sh\n\n# note\nshort:x:5\n"
        )
    found = await open_linux_local().discover(Bounds())
    answer = await set_new()
    return {
        "names": [account.name for account in found.accounts],
        "kinds": {account.name: sorted(account.kinds) for account in found.accounts},
        "rules": [skipped.rule for skipped in found.skipped],
        "cut": found.cut,
        "answer": answer,
        "toor": await set_new("Toor-Word-1", name="toor", uid=0, unlock=True),
        "toor_opens": opens("Toor-Word-1", "toor"),
    }


async def directory() -> dict[str, Any]:
    """Case 24 with systemd's own source, which answers for `nobody` without a line."""
    Path("/etc/nsswitch.conf").write_text("passwd: files [NOTFOUND=continue] systemd\n")
    lines = [
        line for line in Path("/etc/passwd").read_text().splitlines(keepends=True) if not line.startswith("nobody:")
    ]
    Path("/etc/passwd").write_text("".join(lines))
    answered = await set_new(name="nobody", uid=65_534)
    nobody_knows = await set_new(name="diruser", uid=90_001)
    make_account()
    return {
        "answered": answered,
        "nobody_knows": nobody_knows,
        "other_uid": await set_new(uid=UID + 5),
        "old_opens": opens(OLD),
    }


async def refused_by_pam() -> dict[str, Any]:
    make_account()
    before = field()
    Path("/etc/pam.d/chpasswd").write_text(
        "password requisite pam_exec.so expose_authtok stdout /etc/say\npassword required pam_deny.so\n"
    )
    Path("/etc/say").write_text("#!/bin/sh\ncat\nexit 1\n")
    Path("/etc/say").chmod(0o755)
    return {"answer": await set_new("Canary-Word-9"), "same": field() == before}


async def lies() -> dict[str, Any]:
    """A tool that says it is done and did nothing."""
    make_account()
    answer = await backend(command=("true",)).set("k1", UID, Secret(NEW), unlock=False, started=no_started)
    return {"answer": plain(answer)}


async def tail() -> dict[str, Any]:
    """A host that still writes bcrypt: 73 bytes and more open with another end."""
    make_account()
    path = Path("/etc/pam.d/common-password")
    path.write_text(path.read_text().replace("yescrypt", "blowfish"))
    return {
        "long": await set_new("b" * 73),
        "short": await set_new("b" * 20),
    }


async def environment() -> dict[str, Any]:
    """The tool's environment, seen from inside."""
    make_account()
    seen: list[bytes] = []

    def started(pid: int, _birth: int) -> None:
        seen.append(Path(f"/proc/{pid}/environ").read_bytes())

    os.environ.update({"LD_LIBRARY_PATH": "/packed", "LD_PRELOAD": "", "SECRET_THING": "x"})
    await open_linux_local().set("k1", UID, Secret(NEW), unlock=False, started=started)
    return {"environment": sorted(seen[0].decode().strip("\0").split("\0"))}


async def journal_fails() -> dict[str, Any]:
    """The pid cannot be journalled: the tool is ended before it has heard a word."""
    make_account()
    pids: list[tuple[int, int]] = []

    def started(pid: int, birth: int) -> None:
        pids.append((pid, birth))
        raise RuntimeError("the journal is full")

    try:
        await open_linux_local().set("k1", UID, Secret(NEW), unlock=False, started=started)
    except RuntimeError as error:
        raised = str(error)
    return {"raised": raised, "old_opens": opens(OLD), "tool_gone": birth_of(pids[0][0]) != pids[0][1]}


async def survivor() -> dict[str, Any]:
    """A tool that outlived its agent is awaited, then killed; another process of that number is left alone."""
    one = subprocess.Popen(["sleep", "600"], process_group=0)
    birth = birth_of(one.pid)
    assert birth is not None
    other = await backend().reap(one.pid, birth + 1)
    untouched = one.poll() is None
    killed = await backend().reap(one.pid, birth)
    code = one.wait()
    gone = await backend().reap(one.pid, birth)
    return {"other": other, "untouched": untouched, "killed": killed, "code": code, "gone": gone}


def main() -> None:
    scenario: Callable[[], Awaitable[dict[str, Any]]] = globals()[sys.argv[1]]
    with asyncio.Runner() as runner:
        print(json.dumps(runner.run(scenario())))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
