"""RabbitMQ and Erlang from Debian's packages, unpacked into a folder of the clone.

No root and no post-install script, so no system node is started or touched. Debian's `erl` has its root folder built
in, in two copies; both are patched, since the second is what RabbitMQ runs to find epmd. The tree is unpacked aside
and renamed, so what stands under its name is whole; its stamp holds the path it was patched for, so a clone that was
moved unpacks again.
"""

import os
import shutil
import subprocess
from pathlib import Path

from deploy.local.errors import PartMissingError
from deploy.local.locks import exclusive

PACKAGES = (
    "rabbitmq-server",
    *(
        f"erlang-{part}"
        for part in (
            *("base", "asn1", "crypto", "public-key", "mnesia", "runtime-tools", "ssl", "eldap", "inets", "os-mon"),
            *("parsetools", "syntax-tools", "tools", "xmerl"),
        )
    ),
)
BUILT_IN_ROOT = "/usr/lib/erlang"
SCRIPTS_WITH_ROOT = ("usr/lib/erlang/bin/erl", "usr/lib/erlang/erts-*/bin/erl")
STAMP = "unpacked-for"
# What apt needs to reach its mirror, taken from the caller; nothing else of his environment is passed on.
PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "APT_CONFIG")


def ensure_rabbitmq(root: Path) -> Path:
    """Returns the folder with an unpacked RabbitMQ, `root`/build/rabbitmq, made if it is missing.

    Raises PartMissingError, with apt's own words, when the packages cannot be had.
    """
    target = root / "build" / "rabbitmq"
    with exclusive(target.with_name("rabbitmq.lock")):
        if not is_whole(target):
            aside = target.with_name("rabbitmq.new")
            shutil.rmtree(aside, ignore_errors=True)
            shutil.rmtree(target, ignore_errors=True)
            unpack(aside, target)
            aside.rename(target)
    return target


def is_whole(target: Path) -> bool:
    stamp = target / STAMP
    return stamp.exists() and stamp.read_text() == str(target)


def unpack(aside: Path, target: Path) -> None:
    """Downloads and unpacks into `aside`, patched to stand at `target`."""
    debs = aside / "debs"
    debs.mkdir(parents=True)
    download(debs)
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", deb, aside], check=True)
    shutil.rmtree(debs)
    for pattern in SCRIPTS_WITH_ROOT:
        (script,) = aside.glob(pattern)
        text = script.read_text()
        patched = text.replace(f"ROOTDIR={BUILT_IN_ROOT}", f"ROOTDIR={target}{BUILT_IN_ROOT}")
        if text == patched:
            raise PartMissingError(
                f"{script.name} of these Erlang packages does not name its root where it is expected."
            )
        mode = script.stat().st_mode
        script.unlink()  # One of the two may be a link to the other; each becomes a file of its own.
        script.write_text(patched)
        script.chmod(mode)
    (aside / STAMP).write_text(str(target))


def download(debs: Path) -> None:
    """Fetches the packages with this machine's package lists, or with lists of our own where those are missing."""
    if apt_get(debs, "download", *PACKAGES).returncode == 0:
        return
    lists = debs / "lists"
    (lists / "partial").mkdir(parents=True)
    own = ("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={debs / 'cache'}", "-o", "Debug::NoLocking=1")
    (debs / "cache" / "archives" / "partial").mkdir(parents=True)
    for command in (("update",), ("download", *PACKAGES)):
        done = apt_get(debs, *own, *command)
        if done.returncode != 0:
            raise PartMissingError(
                "RabbitMQ's Debian packages could not be downloaded. Is this Debian, and can apt-get reach its mirror? "
                f"apt-get said:\n{done.stderr.strip()}"
            )


def apt_get(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    environment |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    command = ["apt-get", "-q", "-o", "APT::Sandbox::User=", *words]
    return subprocess.run(
        command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
