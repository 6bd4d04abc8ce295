"""`python -m tests.model.sim SEED` replays one seed and shows its trace; `FIRST COUNT` runs many and sums them up."""

import sys

from tests.model.sim.rows import rows
from tests.model.sim.run import run


def main(arguments: list[str]) -> int:
    """The exit status: 1 where an invariant was violated, 2 where this was called wrongly."""
    match [int(each) for each in arguments]:
        case [seed]:
            trace = run(seed)
            print("\n".join(trace.lines))
            print(f"seed {seed}, trace {trace.digest}, {trace.steps} steps, violations: {trace.violations or 'none'}")
            return 1 if trace.violations else 0
        case [first, count]:
            table = rows(count, first)
            print("\n".join(f"{name:<36} {value}" for name, value in table))
            return 1 if any(name.startswith("  seed ") for name, _ in table) else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
