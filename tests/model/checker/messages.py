"""What travels between scheduler and agent, and sets of it as the bits of a number."""

from typing import NamedTuple

from libs.domain.state import Generation
from libs.wire.results import ResetAnswer, VerifyAnswer
from tests.model.checker.names import DEAD, LIVE


class Job(NamedTuple):
    """A job as its bytes say it: what was candidate when it was laid out, whatever became of it since."""

    task: str
    nonce: str
    fence: Generation
    candidates: tuple[tuple[Generation, str], ...]  # generation and password; of a reset: the one to set
    resets: bool
    known: tuple[Generation, ...] = ()  # of a comparison: what the vault has, so that escrow gives the rest

    @property
    def generation(self) -> Generation:
        return self.candidates[0][0]

    @property
    def password(self) -> str:
        return self.candidates[0][1]


class Answer(NamedTuple):
    """A result as its bytes say it.

    `fresh` is the model's own: no fault has changed the password since the agent compared.
    """

    task: str
    nonce: str
    fence: Generation
    answer: ResetAnswer | VerifyAnswer
    generation: Generation | None
    shows: str | None  # the password whose fingerprint it carries
    escrow: tuple[tuple[Generation, str], ...] = ()
    fresh: bool = True


Message = Job | Answer


class Post:
    """Every message that was ever made, each with a bit of its own."""

    def __init__(self) -> None:
        self._bits: dict[Message, int] = {}
        self._messages: list[Message] = []
        self._mourned: dict[int, int] = {}
        self._aged: dict[int, int] = {}
        self.jobs = self.answers = self.resets = self._live = self._fresh = 0

    def bit(self, message: Message) -> int:
        """The bit of a message."""
        bit = self._bits.get(message)
        if bit is None:
            bit = 1 << len(self._messages)
            self._bits[message] = bit
            self._messages.append(message)
            if isinstance(message, Job):
                self.jobs |= bit
                self.resets |= bit if message.resets else 0
            else:
                self.answers |= bit
                self._fresh |= bit if message.fresh else 0
            self._live |= bit if message.nonce == LIVE else 0
        return bit

    def message(self, bit: int) -> Message:
        return self._messages[bit.bit_length() - 1]

    def job(self, bit: int) -> Job:
        message = self.message(bit)
        assert isinstance(message, Job)
        return message

    def answer(self, bit: int) -> Answer:
        message = self.message(bit)
        assert isinstance(message, Answer)
        return message

    def of_nonce(self, nonce: str) -> int:
        """The jobs under this nonce."""
        found = 0
        for message, bit in self._bits.items():
            if isinstance(message, Job) and message.nonce == nonce:
                found |= bit
        return found

    def mourned(self, bits: int) -> int:
        """The same messages once the comparison in flight has ended: its nonce is dead."""
        if not bits & self._live:
            return bits
        after = self._mourned.get(bits)
        if after is None:
            after = bits & ~self._live
            for bit in each(bits & self._live):
                after |= self.bit(self.message(bit)._replace(nonce=DEAD))
            self._mourned[bits] = after
        return after

    def aged(self, bits: int) -> int:
        """The same messages once a fault has changed the password."""
        if not bits & self._fresh:
            return bits
        after = self._aged.get(bits)
        if after is None:
            after = bits & ~self._fresh
            for bit in each(bits & self._fresh):
                after |= self.bit(self.answer(bit)._replace(fresh=False))
            self._aged[bits] = after
        return after


def each(bits: int) -> list[int]:
    """The single bits of a set."""
    found = []
    while bits:
        bit = bits & -bits
        found.append(bit)
        bits ^= bit
    return found
