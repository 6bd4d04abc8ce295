"""Making a store ready: collections, indexes, roles, and a user for each service with the password of its folder.

A store that has no users yet is set up without one (the embedded store, before it is started with `--auth`); one that
has them is set up as `admin`.
"""

from pathlib import Path

from deploy.admin import layout
from deploy.admin.errors import AdminError
from libs.store.errors import StoreDeniedError
from libs.store.mongo.setup import set_up
from libs.store.schema import ADMINISTRATOR
from libs.wire.secret import Secret


async def set_up_store(url: str, *, private: Path, keys: Path) -> None:
    """Makes the store at `url` ready; may be repeated.

    Args:
        url: `mongodb://HOST:PORT/`, without credentials.
        private: The administrator's folder.
        keys: The folder that `init` made, with the services' folders.

    Raises:
        AdminError: a password's file cannot be read.
        StoreError: as `libs.store.errors` lists.
    """
    administrator = read_password(private / layout.STORE_PASSWORD)
    passwords = {name: read_password(keys / name / layout.STORE_PASSWORD) for name in layout.SERVICES}
    passwords[ADMINISTRATOR] = administrator
    try:
        await set_up(url, passwords=passwords, user=ADMINISTRATOR, password=administrator)
    except StoreDeniedError:
        await set_up(url, passwords=passwords)


def read_password(path: Path) -> Secret:
    """The password in a file, without the line's end.

    Raises:
        AdminError: it cannot be read, or is empty.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AdminError(f"{path} cannot be read") from error
    if not text:
        raise AdminError(f"{path} is empty")
    return Secret(text)
