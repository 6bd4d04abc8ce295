"""`python -m agent.packaging.linux`: build the packed Linux agent and sign it. `make runtime-linux` calls this."""

import argparse
import sys
import time
from pathlib import Path

from agent.packaging.linux.build import BuildError, build

RELEASE = Path("build/release")


def main() -> int:
    """The exit status: 0 built or found built already, 1 with one sentence why not."""
    parser = argparse.ArgumentParser(prog="make runtime-linux", description="Build the packed Linux agent.")
    parser.add_argument("--release-key", type=Path, metavar="FILE", help="sign with this Ed25519 key (PEM)")
    asked = parser.parse_args()
    began = time.monotonic()
    try:
        runtime, fresh = build(Path.cwd(), RELEASE, asked.release_key)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    how = f"built in {time.monotonic() - began:.0f} s" if fresh else "unchanged since the last build"
    print(f"{runtime}: {runtime.stat().st_size / 1e6:.1f} MB, {how}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
