"""What every backend promises, as tests: a class to derive from, with a fixture `backend` that has these accounts.

ops (uid 1500, password OLD), closed (uid 1501, never had a password), shut (uid 1502, password OLD behind a lock).
"""

import pytest

from agent.backends.ports import Backend, Bounds, Comparison, Opens, Reaped, SetAnswer, SetOutcome
from libs.wire.observations import Kind
from libs.wire.reasons import Reason, Remark
from libs.wire.secret import Secret

OLD = Secret("Old-Pass-1")
NEW = Secret("Neu: Wort\t2 ")
KEY = b"k" * 32


def no_started(_pid: int, _birth: int) -> None:
    return


class BackendContract:
    async def test_discovery_tells_the_kinds_apart(self, backend: Backend) -> None:
        found = {account.name: account for account in (await backend.discover(Bounds())).accounts}
        assert found["ops"].uid == 1500
        assert found["ops"].kinds == frozenset()
        assert found["closed"].kinds == {Kind.LOCKED, Kind.NO_PASSWORD}
        assert found["shut"].kinds == {Kind.LOCKED}

    async def test_discovery_brings_the_fingerprints_that_one_by_one_brings(self, backend: Backend) -> None:
        for account in (await backend.discover(Bounds(), KEY)).accounts:
            assert account.fingerprint is not None
            assert account.fingerprint == await backend.fingerprint(account.name, account.uid, KEY)
        assert {account.fingerprint for account in (await backend.discover(Bounds())).accounts} == {None}

    async def test_discovery_says_when_it_was_cut(self, backend: Backend) -> None:
        found = await backend.discover(Bounds(accounts=1))
        assert len(found.accounts) == 1
        assert found.cut

    async def test_an_account_is_its_name_and_its_uid(self, backend: Backend) -> None:
        found = await backend.find("ops", 1500)
        assert found is not None
        assert found.name == "ops"
        assert await backend.find("ops", 1501) is None
        assert await backend.find("nobody-here", 1500) is None

    async def test_a_set_password_opens_and_the_old_does_not(self, backend: Backend) -> None:
        started: list[tuple[int, int]] = []
        answer = await backend.set("ops", 1500, NEW, unlock=False, started=lambda *tool: started.append(tool))
        assert answer == SetAnswer(SetOutcome.DONE)
        assert len(started) == 1
        assert await backend.compare("ops", 1500, NEW) == Comparison(Opens.OPENS)
        assert await backend.compare("ops", 1500, OLD) == Comparison(Opens.DOES_NOT_OPEN)

    async def test_a_locked_account_is_set_and_stays_locked(self, backend: Backend) -> None:
        answer = await backend.set("shut", 1502, NEW, unlock=False, started=no_started)
        assert answer == SetAnswer(SetOutcome.DONE, remarks=frozenset({Remark.LOCKED}))
        found = await backend.find("shut", 1502)
        assert found is not None
        assert Kind.LOCKED in found.kinds
        compared = await backend.compare("shut", 1502, NEW)
        assert compared == Comparison(Opens.OPENS, remarks=frozenset({Remark.LOCKED}))

    async def test_unlock_takes_the_lock_away(self, backend: Backend) -> None:
        for name, uid in (("shut", 1502), ("closed", 1501)):
            assert await backend.set(name, uid, NEW, unlock=True, started=no_started) == SetAnswer(SetOutcome.DONE)
            found = await backend.find(name, uid)
            assert found is not None
            assert found.kinds == frozenset()

    async def test_an_account_without_a_password_is_refused(self, backend: Backend) -> None:
        answer = await backend.set("closed", 1501, NEW, unlock=False, started=no_started)
        assert (answer.outcome, answer.reason) == (SetOutcome.REFUSED, Reason.ACCOUNT_LOCKED)

    @pytest.mark.parametrize("plain", [b"", b"a\nops2:x", b"a\rb", b"a\0b", b"x" * 512])
    async def test_an_unsettable_password_is_refused_before_anything(self, backend: Backend, plain: bytes) -> None:
        started: list[tuple[int, int]] = []
        answer = await backend.set("ops", 1500, Secret(plain), unlock=True, started=lambda *tool: started.append(tool))
        assert (answer.outcome, answer.reason) == (SetOutcome.REFUSED, Reason.PASSWORD_NOT_SETTABLE)
        assert started == []
        assert (await backend.compare("ops", 1500, OLD)).opens is Opens.OPENS

    async def test_who_is_not_here_is_not_a_local_account(self, backend: Backend) -> None:
        answer = await backend.set("ops", 7, NEW, unlock=False, started=no_started)
        assert (answer.outcome, answer.reason) == (SetOutcome.REFUSED, Reason.NOT_A_LOCAL_ACCOUNT)
        compared = await backend.compare("diruser", 90_001, NEW)
        assert (compared.opens, compared.reason) == (Opens.CANNOT_TELL, Reason.NOT_A_LOCAL_ACCOUNT)

    async def test_a_fingerprint_changes_with_the_field_and_with_the_key(self, backend: Backend) -> None:
        before = await backend.fingerprint("ops", 1500, KEY)
        assert before is not None
        assert len(before) == 64
        assert await backend.fingerprint("ops", 1500, KEY) == before
        assert await backend.fingerprint("ops", 1500, b"o" * 32) != before
        await backend.set("ops", 1500, NEW, unlock=False, started=no_started)
        assert await backend.fingerprint("ops", 1500, KEY) != before
        assert await backend.fingerprint("ops", 1, KEY) is None

    async def test_there_is_nothing_to_reap_of_a_tool_that_ended(self, backend: Backend) -> None:
        started: list[tuple[int, int]] = []
        await backend.set("ops", 1500, NEW, unlock=False, started=lambda *tool: started.append(tool))
        assert await backend.reap(*started[0]) is Reaped.GONE
        assert await backend.settle() is None
