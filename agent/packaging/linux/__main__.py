"""`python -m agent.packaging.linux`: build the packed Linux agent and sign it. `make runtime-linux` calls this."""

import argparse
import sys
import time
from pathlib import Path

from agent.packaging.linux.build import build
from agent.packaging.linux.pack import BuildError
from agent.packaging.linux.portable import build_portable

RELEASE = Path("build/release")
PORTABLE = Path("build/portable")


def main() -> int:
    """The exit status: 0 built or found built already, 1 with one sentence why not."""
    parser = argparse.ArgumentParser(prog="make runtime-linux", description="Build the packed Linux agent.")
    parser.add_argument("--release-key", type=Path, metavar="FILE", help="sign with this Ed25519 key (PEM)")
    parser.add_argument("--portable", action="store_true", help="for older servers too; needs root, and minutes")
    asked = parser.parse_args()
    began = time.monotonic()
    try:
        if asked.portable:
            runtime, fresh = build_portable(Path.cwd(), PORTABLE, RELEASE, asked.release_key)
        else:
            runtime, fresh = build(Path.cwd(), RELEASE, asked.release_key)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    how = f"built in {time.monotonic() - began:.0f} s" if fresh else "unchanged since the last build"
    print(f"{runtime}: {runtime.stat().st_size / 1e6:.1f} MB, {how}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
