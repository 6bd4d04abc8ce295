"""`python -m agent`."""

import sys

from agent.app import main

if __name__ == "__main__":
    sys.exit(main())
