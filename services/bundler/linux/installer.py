"""The installer's script, as it lies beside the agent's packaging."""

from importlib.resources import files

from services.bundler.package import INSTALLER


def installer() -> bytes:
    """`installAgent-service.sh`, with LF.

    Raises:
        OSError: this installation of the bundler came without it.
    """
    return files("agent.packaging.linux").joinpath(INSTALLER).read_bytes()
