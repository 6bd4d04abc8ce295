"""All chance of a simulation comes from its seed, also what the product draws from the machine.

Each part draws from a stream of its own name, so that one more draw in one place leaves all others as they were. The
product's identifiers and nonces come from `secrets`, which reads the machine's randomness through one name of the
module `random`; for the time of a run that name leads to the seed. What cryptography draws inside OpenSSL stays the
machine's: no order depends on it, and the trace shows none of it.
"""

import contextlib
import gc
import random
from collections.abc import Callable, Iterator
from unittest.mock import patch

Chance = random.Random


class Seed:
    """Gives the streams of one seed."""

    def __init__(self, seed: int) -> None:
        self.number = seed

    def stream(self, name: str) -> Chance:
        """The stream of this name, from its beginning."""
        return random.Random(f"{self.number}/{name}")  # noqa: S311 - a simulation has to repeat itself


@contextlib.contextmanager
def machine_of(seed: Seed) -> Iterator[None]:
    """The machine's chance comes from `seed`, and no object is collected at a moment of the collector's own."""
    entropy: Callable[[int], bytes] = seed.stream("entropy").randbytes
    before, collecting = random.getstate(), gc.isenabled()
    random.seed(f"{seed.number}/global")
    gc.disable()
    try:
        with patch.object(random, "_urandom", entropy):
            yield
    finally:
        random.setstate(before)
        if collecting:
            gc.enable()
