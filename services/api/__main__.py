"""`python -m services.api`: the gateway as a process."""

import sys
from importlib.metadata import version

import structlog
import uvloop

from libs.domain.errors import KeyturnError
from libs.service.settings import SettingsError
from libs.telemetry.logging import set_up
from services.api.process import NAME, run
from services.api.settings import Settings

EX_CONFIG = 78


def main() -> int:
    """The exit status, as in sysexits.h."""
    set_up(NAME)
    log = structlog.get_logger(__name__)
    try:
        settings = Settings.load()
        set_up(NAME, settings.log_level)
        return uvloop.run(run(settings, version("keyturn"))).status
    except SettingsError as error:
        for line in error.lines:
            log.error("cannot start", why=line)
    except (OSError, ValueError, KeyturnError) as error:
        log.error("cannot start", why=str(error))
    return EX_CONFIG


if __name__ == "__main__":
    sys.exit(main())
