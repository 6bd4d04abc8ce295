"""`python -m services.api`: the gateway as a process."""

import sys

from libs.service.command import run_service
from services.api.process import NAME, run
from services.api.settings import Settings

if __name__ == "__main__":
    sys.exit(run_service(NAME, Settings, run))
