"""The installer's scripts, as they lie beside the agent's packaging."""

from collections.abc import Mapping
from importlib.resources import files

from services.bundler.package import INSTALLER


def installer() -> Mapping[str, bytes]:
    """`installAgent-service.sh` and what it reads below `service/`, by their paths in a package, with LF.

    Raises:
        OSError: this installation of the bundler came without them.
    """
    at = files("agent.packaging.linux")
    parts = {f"service/{each.name}": each.read_bytes() for each in at.joinpath("service").iterdir()}
    return {INSTALLER: at.joinpath(INSTALLER).read_bytes(), **parts}
