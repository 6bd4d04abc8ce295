"""A package: a checked runtime, and what one download adds to it.

    agent.conf                  the settings, for this server
    trust.pem                   the authority that the server's certificate comes from
    token                       the enrolment token, plain: the one secret in it
    keys/*.pem                  public keys (task, vault, recovery, release, configuration) and the agents' authority
    keys/notice.json            the newest notice, where there is one: the trust of the day on which it was built
    installAgent-service.sh     sh installAgent-service.sh install | start | stop | restart | status | doctor | remove
    service/*.sh                what it reads: a file a way in which hosts keep services
    manifest.json               every file of the package with its SHA-256, and manifest.sig over it

Pure: the same runtime, keys, settings and token give the same bytes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.wire.encoding import to_base64
from libs.wire.release import PACKAGE_MANIFEST, PACKAGE_SIGNATURE, File, PackageManifest
from libs.wire.requests import ComposeContent
from libs.wire.secret import Secret
from libs.wire.sign import Prefix, sign
from services.bundler.agent_conf import agent_conf
from services.bundler.runtime import Runtime
from services.bundler.zip_tail import Added, RuntimeUnusableError, tail

INSTALLER = "installAgent-service.sh"

_PUBLIC, _SECRET, _PROGRAM = 0o644, 0o600, 0o755


@dataclass(frozen=True)
class Ingredients:
    """What every package of this system and platform carries besides its runtime: text files with LF."""

    trust: bytes
    keys: Mapping[str, bytes]  # by file name
    installer: Mapping[str, bytes]  # its scripts, by path

    def __post_init__(self) -> None:
        for name, content in (("trust.pem", self.trust), *self.installer.items(), *self.keys.items()):
            if b"\r" in content or not content.endswith(b"\n"):
                raise ValueError(f"{name} must have lines that end with LF, the last one too")


def package_tail(
    content: ComposeContent,
    token: Secret,
    runtime: Runtime,
    ingredients: Ingredients,
    configuration: Ed25519PrivateKey,
) -> bytes:
    """The bytes that follow the runtime's prefix.

    Raises:
        RuntimeUnusableError: the package would need zip64, or the runtime has a file of one of these names.
    """
    files = (
        Added("agent.conf", _PUBLIC, agent_conf(content)),
        *(Added(path, _PROGRAM, ingredients.installer[path]) for path in sorted(ingredients.installer)),
        *(Added(f"keys/{name}", _PUBLIC, ingredients.keys[name]) for name in sorted(ingredients.keys)),
        Added("token", _SECRET, token.reveal() + b"\n"),
        Added("trust.pem", _PUBLIC, ingredients.trust),
    )
    listed = PackageManifest(
        package=content.package,
        token=content.token,
        platform=content.platform,
        runtime=runtime.hash,
        release=runtime.manifest.release,
        server_name=content.server_name,
        server_port=content.server_port,
        user_name=content.user_name,
        files=tuple(sorted((*runtime.files, *map(_listed, files)), key=lambda file: file.path)),
    )
    manifest = listed.to_bytes()
    signature = to_base64(sign(manifest, Prefix.PACKAGE, configuration).signature).encode() + b"\n"
    signed = (Added(PACKAGE_MANIFEST, _PUBLIC, manifest), Added(PACKAGE_SIGNATURE, _PUBLIC, signature))
    taken = {file.path for file in runtime.files} & {file.path for file in (*files, *signed)}
    if taken:
        raise RuntimeUnusableError(f"the runtime has {', '.join(sorted(taken))}, which a package adds")
    return tail(runtime.directory, (*files, *signed))


def _listed(file: Added) -> File:
    return File(
        path=file.path,
        mode=file.mode,
        size=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
    )
