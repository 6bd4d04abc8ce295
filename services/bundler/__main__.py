"""`python -m services.bundler`: the bundler as a process."""

import sys

from libs.service.command import run_service
from services.bundler.app import NAME, run
from services.bundler.settings import Settings

if __name__ == "__main__":
    sys.exit(run_service(NAME, Settings, run))
