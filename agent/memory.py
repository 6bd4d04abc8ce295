"""What the journal means: generations begun and ended, tools left running, and escrow.

intent    before the host's tool runs: the whole signed job (its password still sealed), the escrow seal, the
fingerprint of the field before; its mark is the generation
tool      the tool's pid and birth mark, before it is given anything
ended     applied or refused, with the fingerprint after
fence     a verify's fence: older generations are stale from now on
answer    the signed result of a job
reported  the server has stored it
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.journal import Journal, JournalUnwritableError
from libs.domain.moves import Entry, fenced
from libs.domain.state import NONE, Generation
from libs.wire import steps
from libs.wire.ids import account_id
from libs.wire.jobs import ResetStep
from libs.wire.results import Escrowed
from libs.wire.seal import Sealed
from libs.wire.sign import Signed

KEPT_ESCROWS = 16
"""Applied generations an account whose escrow is kept: as many as one comparison asks about."""


@dataclass(frozen=True)
class Tool:
    """A tool that may still run."""

    pid: int
    birth: int


@dataclass(frozen=True)
class Memory:
    """Reads and writes the journal in the agent's own words."""

    journal: Journal

    def mark(self, account: str) -> Generation:
        """The highest generation that was ever begun or fenced."""
        mark = self.journal.mark(account)
        return Generation.parse(mark) if mark else NONE

    def mark_of(self, resource: str, name: str, uid: int) -> str | None:
        """The mark of a login as it travels; None where this journal knows none."""
        return self.journal.mark(account_id(resource, name, uid))

    def last(self, account: str) -> tuple[Generation, Entry] | None:
        """The newest generation that was begun, and how far it came."""
        found: tuple[Generation, Entry] | None = None
        for record in self.journal.records(account):
            if record["kind"] == "intent":
                found = Generation.parse(record["mark"]), Entry.INTENT
            elif record["kind"] == "ended" and found and str(found[0]) == record["generation"]:
                found = found[0], Entry(record["entry"])
        return found

    def before(self, account: str, generation: Generation) -> str | None:
        """The fingerprint of the password field before a generation was begun."""
        for record in self.journal.records(account):
            if record["kind"] == "intent" and record["mark"] == str(generation):
                before: str | None = record["before"]
                return before
        return None

    def tool(self, account: str) -> Tool | None:
        """The tool of the newest intent, unless that intent has ended."""
        found: Tool | None = None
        for record in self.journal.records(account):
            if record["kind"] == "tool":
                found = Tool(record["pid"], record["birth"])
            elif record["kind"] in ("intent", "ended"):
                found = None
        return found

    def escrow(self, account: str) -> list[Escrowed]:
        """What is held for the vault, newest first: passwords that this agent cannot open."""
        found = {
            record["mark"]: Escrowed(generation=record["mark"], sealed=Sealed.model_validate(record["escrow"]))
            for record in self.journal.records(account)
            if record["kind"] == "intent"
        }
        return sorted(found.values(), key=lambda each: Generation.parse(each.generation), reverse=True)

    def accounts(self) -> list[str]:
        """Every account whose password was ever set from here."""
        return sorted({str(each["account"]) for each in self.journal.records() if each["kind"] == "intent"})

    def handed_over(self, account: str) -> list[Escrowed]:
        """What a vault of long ago may lack of an account, newest first: the newest password that was set, and what
        was begun after it.
        """
        found = self.escrow(account)
        ended = {
            str(each["generation"]): Entry(each["entry"])
            for each in self.journal.records(account)
            if each["kind"] == "ended"
        }
        applied = next((n for n, each in enumerate(found) if ended.get(each.generation) is Entry.APPLIED), len(found))
        return found[: applied + 1]

    def begin(self, signed: Signed, step: ResetStep, before: str | None) -> None:
        """Durable before the tool runs."""
        self.journal.append(
            {
                "kind": "intent",
                "account": step.account,
                "mark": step.password.generation,
                "job": signed.model_dump(mode="json"),
                "escrow": step.escrow.model_dump(mode="json"),
                "before": before,
            }
        )
        steps.step(steps.Step.AGENT_INTENT_JOURNALLED)

    def started(self, account: str, pid: int, birth: int) -> None:
        """Durable before the tool is given anything."""
        self.journal.append({"kind": "tool", "account": account, "pid": pid, "birth": birth})
        steps.step(steps.Step.AGENT_TOOL_JOURNALLED)

    def end(self, account: str, generation: Generation, entry: Entry) -> None:
        """Durable before it is told."""
        self.journal.append({"kind": "ended", "account": account, "generation": str(generation), "entry": entry.value})
        steps.step(steps.Step.AGENT_END_JOURNALLED, entry.value)

    def fence(self, account: str, fence: str) -> None:
        """A generation below this is stale from now on, and this one too unless it was begun."""
        mark = self.mark(account)
        after = fenced(mark, Generation.parse(fence))
        if after != mark:
            self.journal.append({"kind": "fence", "account": account, "mark": str(after)})
        steps.step(steps.Step.AGENT_FENCE_JOURNALLED)

    def tidy(self) -> str | None:
        """Forgets what nobody will ask for: all but the newest generations of each account. Marks are kept for ever.

        Returns why the disk refused, where it did: everything is as it was then. An agent whose disk has room for a
        record, but not for a second journal, works on.
        """
        intents: dict[str, list[str]] = {}
        for record in self.journal.records():
            if record["kind"] == "intent":
                intents.setdefault(record["account"], []).append(record["mark"])
        kept = {account: set(marks[-KEPT_ESCROWS:]) for account, marks in intents.items()}

        def keep(record: Mapping[str, Any]) -> bool:
            if record["kind"] == "intent":
                return record["mark"] in kept[record["account"]]
            if record["kind"] == "ended":
                return record["generation"] in kept.get(record["account"], set())
            return bool(record["kind"] == "tool")

        try:
            self.journal.compact(keep)
        except JournalUnwritableError as error:
            return str(error)
        return None
