"""`python -m services.scheduler`: the scheduler as a process."""

import sys

from libs.service.command import run_service
from services.scheduler.app import NAME, run
from services.scheduler.settings import Settings

if __name__ == "__main__":
    sys.exit(run_service(NAME, Settings, run))
