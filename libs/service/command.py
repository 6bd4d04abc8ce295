"""`python -m services.NAME`: settings from the environment, one line for each wrong one, and the exit status."""

import os
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from typing import Any, TypeVar

import structlog
import uvloop

from libs.domain.errors import KeyturnError
from libs.service.lifetime import Stopped
from libs.service.settings import Settings, SettingsError
from libs.telemetry.logging import set_up
from libs.wire.steps import arm

EX_CONFIG = 78
"""Of sysexits.h: something that it was told is wrong, and starting it again does not help."""

S = TypeVar("S", bound=Settings)


def run_service(name: str, settings: type[S], run: Callable[[S, str], Coroutine[Any, Any, Stopped]]) -> int:
    """Runs a service until it stops; its exit status.

    Args:
        name: The service's, for its log.
        settings: What it is told from outside.
        run: The service, given its settings and its version.
    """
    set_up(name)
    arm(os.environ)
    log = structlog.get_logger(__name__)
    try:
        told = settings.load()
        set_up(name, told.log_level)
        return uvloop.run(run(told, version("keyturn"))).status
    except SettingsError as error:
        for line in error.lines:
            log.error("cannot start", why=line)
    except (OSError, ValueError, KeyturnError) as error:
        log.error("cannot start", why=str(error))
    return EX_CONFIG
