"""`python -m services.scheduler`: the scheduler as a process."""

import sys
from importlib.metadata import version

import structlog
import uvloop

from libs.service.settings import SettingsError
from libs.telemetry.logging import set_up
from services.scheduler.app import NAME, run
from services.scheduler.settings import Settings

EX_CONFIG = 78


def main() -> int:
    """The exit status, as in sysexits.h."""
    set_up(NAME)
    try:
        settings = Settings.load()
        set_up(NAME, settings.log_level)
        return uvloop.run(run(settings, version("keyturn"))).status
    except SettingsError as error:
        for line in error.lines:
            structlog.get_logger(__name__).error("cannot start", why=line)
        return EX_CONFIG


if __name__ == "__main__":
    sys.exit(main())
