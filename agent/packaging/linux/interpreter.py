"""What the interpreter that is packed brings along, beside the pinned libraries."""

import platform
import ssl
from collections.abc import Mapping


def brings() -> Mapping[str, str]:
    """Name and version of each, of the interpreter that runs this."""
    return {"cpython": platform.python_version(), "openssl": ssl.OPENSSL_VERSION.split()[1]}
