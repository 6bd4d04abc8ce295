"""`python -m tests.bench`: measures, prints a table, writes build/bench/report.json. It ends by itself."""

import json
import platform
import secrets
import shutil
import sys
import time
from pathlib import Path

from tests.bench import polls, reset
from tests.lab.lab import Lab

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """The exit status."""
    folder = ROOT / "build/bench"
    work = folder / f"run-{secrets.token_hex(4)}"
    work.mkdir(parents=True, mode=0o700)
    began = time.monotonic()
    try:
        rows = polls.measure(work)
        if (lacking := Lab.available()) is None:
            rows |= reset.measure(ROOT, work)
        else:
            print(f"A reset is not measured: {lacking}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "seconds": round(time.monotonic() - began, 1),
        "rows": rows,
    }
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name.ljust(width)}  {value:>10}")
    print(f"\nWritten to build/bench/report.json in {report['seconds']} s. Times are this machine's; ratios travel.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
