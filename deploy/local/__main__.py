"""`python -m deploy.local run|up|down|status`."""

import sys

from deploy.local.app import main

sys.exit(main())
