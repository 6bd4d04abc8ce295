"""The interface against its own description: what it allows and what it forbids is sent to every operation.

Each answer has to be one that the description tells of, in shape and media type; none may be an error of ours, and what
is forbidden is a problem with a stable code. The examples are the same in each run.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from libs.store.users import Role
from services.api.problems import MEDIA_TYPE
from tests.unit.api.world import World, in_sync, make_world

EXAMPLES = 8
"""Of each operation: for what is there and for whatever identifier comes, as allowed and as forbidden."""

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ENDLESS = {("get", "/v1/events")}
"""A stream, which has no end to wait for; tests/unit/api/test_events.py has it."""


@dataclass
class Site:
    """A gateway whose broker is away, so that nothing waits for an answer of others."""

    runner: asyncio.Runner
    world: World
    names: dict[str, str]  # what stands in a path, by its name
    answers: Counter[int] = field(default_factory=Counter)  # by their status

    def sign_in(self) -> dict[str, str]:
        """The header of an administrator; some requests end the session, so each operation gets another.

        Whatever was guessed at the operation before is forgotten by then.
        """
        self.runner.run(self.world.clock.advance(16 * 60.0))
        return {"Authorization": self.runner.run(self.world.signed_in("ada"))["authorization"]}

    def send(self, case: Case[Any]) -> httpx.Response:
        """The answer to what was made up."""
        request = case.as_transport_kwargs(base_url="https://keyturn.example")
        if isinstance(request.get("data"), bytes):
            request["content"] = request.pop("data")
        request.pop("cookies")
        answer = self.runner.run(self.world.client.request(**request))
        self.answers[answer.status_code] += 1
        return answer


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(stack.enter_async_context(make_world(tmp_path_factory.mktemp("private"))))

        async def people() -> dict[str, str]:
            ada = await world.user("ada", Role.ADMINISTRATOR)
            resource, _ = await world.machine(ada)
            account = await world.account(resource, rotation=in_sync())
            world.node.stop()
            return {
                "user": ada.id,
                "resource": resource.id,
                "account": account.id,
                "agent": resource.agent,
                "token": (await world.token(ada)).id,
                "enrolment": (await world.waiting(ada)).id,
                "incident": (await world.incident(ada)).id,
            }

        yield Site(runner, world, runner.run(people()))
        runner.run(stack.aclose())


def operations(world: World) -> Iterator[Any]:
    """Those of the interface for people, as the description tells of them."""
    schema = schemathesis.openapi.from_dict(world.gateway.api.openapi())
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path.startswith("/v1/") and (operation.method, operation.path) not in ENDLESS:
            yield operation


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_operation_answers_as_it_is_described(
    site: Site, mode: GenerationMode, say: Callable[[str], None]
) -> None:
    told: list[str] = []
    for operation in operations(site.world):
        for named in _names(operation, site.names):
            told += _wrong(site, operation, mode, named)
    assert "\n".join(told) == ""
    usual = HTTPStatus.OK if mode is GenerationMode.POSITIVE else HTTPStatus.UNPROCESSABLE_ENTITY
    assert site.answers[usual] > len(list(operations(site.world)))
    say(f"What the description {'allows' if mode is GenerationMode.POSITIVE else 'forbids'}: {dict(site.answers)}")
    site.answers.clear()


def _names(operation: Any, known: dict[str, str]) -> list[dict[str, str]]:
    """What to put into the path: nothing given, and what is there."""
    names = [each.name for each in operation.path_parameters]
    return [{}, {name: known[name] for name in names}] if set(names) <= known.keys() and names else [{}]


def _wrong(site: Site, operation: Any, mode: GenerationMode, named: dict[str, str]) -> list[str]:
    """What was answered otherwise than it is described."""
    told: list[str] = []
    signed_in = site.sign_in()

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode, path_parameters=named or None, headers=signed_in))
    def each(case: Case[Any]) -> None:
        answer = site.send(case)
        try:
            assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
            case.validate_response(answer, checks=CHECKS)
            if answer.is_error:
                assert answer.headers["content-type"] == MEDIA_TYPE, answer.headers["content-type"]
                assert answer.json()["code"], answer.text
        except (AssertionError, FailureGroup, Failure) as failure:
            told.append(f"{mode.value} {operation.method} {operation.path} {answer.status_code}: {failure}")

    # Some operations take nothing that could be forbidden.
    with suppress(Unsatisfiable):
        each()
    return told[:1]
