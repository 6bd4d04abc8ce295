"""Trusting a release after `init`: its public key goes into `public/`, and replaces no other."""

from pathlib import Path

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.files import sync_folder, write
from deploy.admin.keys import load_release, public_pem


def trust_release(folder: Path, release: Path) -> None:
    """Puts the release's public key into the folder that `init` made.

    Raises:
        AdminError: it is no Ed25519 public key, another one is trusted already, or it cannot be written.
    """
    key, place = load_release(release), folder / layout.PUBLIC / layout.RELEASE
    if place.exists():
        if load_release(place) == key:
            return
        raise AdminError(f"{place} trusts another release; installed agents know that one")
    try:
        write(place, public_pem(key), layout.PUBLIC_FILE_MODE)
        sync_folder(place.parent)
    except OSError as error:
        raise AdminError(f"{place}: {error.strerror}") from error
