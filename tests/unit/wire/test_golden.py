"""Golden samples: what was once published must be read for ever, and be written the same way.

A sample file is never edited. A message that changes its meaning gets a new version, and a new sample beside the old.
"""

from pathlib import Path

import pytest

from libs.wire import events
from libs.wire.envelope import UnreadableError, parse
from tests.unit.wire.samples import SAMPLES

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_message_is_written_as_it_was_published(name: str) -> None:
    assert SAMPLES[name].to_bytes() == (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_published_is_read(path: Path) -> None:
    sample = SAMPLES[path.stem]
    assert type(sample).model_validate_json(path.read_bytes()) == sample


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("event.*.json")), ids=lambda path: path.stem)
def test_an_event_is_read_back_from_its_envelope(path: Path) -> None:
    envelope = parse(path.read_bytes())
    kind = next(each for each in _kinds(events.Event) if getattr(each, "TYPE", None) == envelope.type)
    assert kind.read(envelope).envelope(envelope.at).body == envelope.body


def _kinds(base: type[events.Event]) -> list[type[events.Event]]:
    return [kind for each in base.__subclasses__() for kind in (each, *_kinds(each))]


def test_no_type_and_version_is_used_twice() -> None:
    used = [(kind.TYPE, kind.VERSION) for kind in _kinds(events.Event) if hasattr(kind, "TYPE")]
    assert len(used) == len(set(used))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b'{"type":"task.requested"}', b"x" * 70_000])
def test_what_is_no_envelope_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableError):
        parse(raw)


def test_another_version_or_body_is_unreadable() -> None:
    envelope = parse((GOLDEN / "event.task.requested.1.json").read_bytes())
    changes: tuple[dict[str, object], ...] = (
        {"version": 2},
        {"type": "task.reported"},
        {"body": {"task": "../etc"}},
        {"body": {}},
    )
    for changed in changes:
        with pytest.raises(UnreadableError):
            events.TaskRequested.read(envelope.model_copy(update=changed))


def test_a_field_that_a_newer_sender_appended_is_passed_over() -> None:
    raw = (GOLDEN / "event.task.requested.1.json").read_bytes()
    assert parse(raw.replace(b'"version":1', b'"version":1,"later":true')).type == "task.requested"
