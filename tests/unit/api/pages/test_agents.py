"""*Admin, Agents*: who waits, who is in trouble, what packages admit, and the form that builds one."""

import hashlib

import pytest

from libs.broker.topology import QueueName
from libs.domain.forks import Runs, Side
from libs.store.agents import AgentDocument, AgentDocuments
from libs.store.certificates import Certificate, Certificates, CertificateState
from libs.store.packages import Package, Packages
from libs.store.presence import Presence, Presences, SaidTrouble
from libs.store.requests import Requests
from libs.store.resources import Resource
from libs.store.runs import RunsDocument, RunsDocuments
from libs.store.users import User
from libs.wire.ids import Noun, new_id
from libs.wire.requests import ChooseContent, ComposeContent, Platform, Request, SettleContent, Settled, TokenRevoked
from services.api.agents.words import SAID_FOR, SILENT_AFTER
from tests.unit.api.pages.browser import SESSION, Browser, forms
from tests.unit.api.test_packages import PREFIX, TAIL, ZIP, composed, publish
from tests.unit.api.world import NOW, World

DOWNLOAD = "/admin/agents/download"


async def heard(world: World, machine: Resource, ago: int) -> None:
    """The machine's agent called so many milliseconds ago."""
    await Presences(world.admin).contact(Presence(id=machine.agent, last_seen=NOW - ago, version="1.4.2"))


async def test_an_agent_that_calls_is_quiet_and_one_that_does_not_comes_first(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    for name, ago in (("aa-calls", 30_000), ("zz-silent", SILENT_AFTER + 60_000)):
        await heard(world, (await world.machine(users["ben"], name))[0], ago)
    text = (await browsers["ben"].get("/admin/agents")).text
    assert text.index(">zz-silent</a>") < text.index(">aa-calls</a>")
    assert "1 in trouble." in text
    assert "It last called 6 min ago. Changes wait until it calls again." in text
    assert "0 agents" in (await browsers["eve"].get("/admin/agents")).text


async def test_what_an_agent_said_of_its_machine_is_shown_for_a_day_with_its_remedy(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    machine = (await world.machine(users["ben"], "aa-full"))[0]
    said = tuple(
        SaidTrouble(code=code, sentence=f"{code} <b>seen</b>", first_at=NOW - ago, last_at=NOW - ago, times=3)
        for code, ago in (("disk_full", 60_000), ("no_contact", 2 * SAID_FOR))
    )
    await Presences(world.admin).contact(Presence(id=machine.agent, last_seen=NOW, said=said))
    text = (await browsers["ben"].get("/admin/agents")).text
    assert "1 min ago, 3 times: <code>disk_full</code> disk_full &lt;b&gt;seen&lt;/b&gt;" in text
    assert "Free some space" in text
    assert "no_contact" not in text


async def test_an_agent_that_left_is_said_to_have_handed_over(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    await heard(world, machine, 0)
    document = AgentDocument(id=machine.agent, revoked_at=NOW, left_at=NOW, rev=0)
    assert await AgentDocuments(world.admin).insert(document)
    text = (await browsers["ben"].get("/admin/agents")).text
    assert "It handed over what it knew, and the passwords of its machine are kept." in text


async def test_an_agent_that_never_called_is_told_of_when_it_should_have(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    assert machine.agent
    assert "1 in trouble" not in (await browsers["ben"].get("/admin/agents")).text
    await world.clock.advance(SILENT_AFTER / 1_000)
    assert "It was let in 5 min ago and has not called since." in (await browsers["ben"].get("/admin/agents")).text


async def test_why_a_newer_release_is_not_on_a_machine_is_said(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    seen = Presence(id=machine.agent, last_seen=NOW, version="0.1.0", upgrade="0.2.0", upgrade_code="upgrade_no_space")
    await Presences(world.admin).contact(seen)
    text = (await browsers["ben"].get("/admin/agents")).text
    assert "Release 0.2.0 is not on it: The machine has no space" in text


async def test_a_revoked_agent_is_said_to_be(world: World, browsers: dict[str, Browser], machine: Resource) -> None:
    certificates = Certificates(world.admin)
    (known,) = await certificates.of_agent(machine.agent)
    assert isinstance(known, Certificate)
    await certificates._collection.update(known.id, set={"state": CertificateState.REVOKED.value})
    text = (await browsers["ben"].get("/admin/agents")).text
    assert "The agent was revoked and gets no work." in text
    assert f"{DOWNLOAD}?resource={machine.id}" in text


async def test_a_waiting_machine_is_let_in_by_a_form_that_says_who_asks(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    waits = await world.waiting(users["ben"])
    ben, page = browsers["ben"], f"/admin/enrolments/{waits.id}"
    text = (await ben.get("/admin/agents")).text
    assert "1 waits for approval." in text
    assert page in text
    asked = (await ben.get(page)).text
    for fact in ("dmz-web-09", "192.0.2.9", waits.key_hash, "Debian GNU/Linux 12"):
        assert fact in asked
    unsaid = await ben.send(page, {"form": forms(await ben.get(page))[page]["form"]})
    assert (unsaid.status_code, "Nothing was decided." in unsaid.text) == (422, True)
    async with world.answering(QueueName.DECISIONS, lambda _: Settled(enrolment=waits.id, approved=True)) as decided:
        answer = await ben.fill(page, decision="approve")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/agents")
    (request,) = decided
    assert isinstance(request.content, SettleContent)
    assert (request.content.approve, request.content.key_hash) == (True, waits.key_hash)


async def test_a_package_says_what_it_admits_and_is_revoked(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    token = await world.token(
        users["ben"], package=new_id(Noun.PACKAGE), uses_left=3, host_pattern="dmz-*", networks=("10.0.0.0/8",)
    )
    await Packages(world.admin).insert(
        Package(
            id=token.package or "",
            platform=Platform.LINUX,
            token=token.id,
            user_name="ben",
            server_name="keyturn",
            server_port=7272,
            schedule_interval=60,
            uses=3,
            expires=token.expires,
            created_at=NOW,
            created_by=users["ben"].id,
            created_by_name="ben",
            runtime="0" * 64,
            runtime_version="1.4.2",
            sha256="ab" * 32,
            size=1,
        )
    )
    ben, page = browsers["ben"], f"/admin/tokens/{token.id}/revoke"
    text = (await ben.get("/admin/agents")).text
    assert "Admits 3 machines named dmz-* from 10.0.0.0/8 until" in text
    assert "ab" * 32 in text
    assert page in text
    async with world.answering(QueueName.DECISIONS, lambda _: TokenRevoked(token=token.id)):
        answer = await ben.fill(page)
    assert answer.headers["location"] == "/admin/agents"


async def test_an_incident_stands_first_until_somebody_closes_it_and_says_why(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    incident = await world.incident(users["ben"], host_name="stranger", address="192.0.2.66")
    ben, page = browsers["ben"], f"/admin/incidents/{incident.id}/close"
    assert "A machine that calls itself stranger, seen from 192.0.2.66" in (await ben.get("/admin/agents")).text
    assert "stranger" not in (await browsers["eve"].get("/admin/agents")).text
    unsaid = await ben.fill(page, reason=" ")
    assert (unsaid.status_code, "Say why, in 1 to 500 characters." in unsaid.text) == (422, True)
    closed = await ben.fill(page, reason="our <b>own</b> test")
    assert closed.headers["location"] == "/admin/agents"
    text = (await ben.get("/admin/agents")).text
    assert page not in text
    assert "1 closed incident" in text
    assert "Closed by ben just now: “our &lt;b&gt;own&lt;/b&gt; test”" in text


async def test_an_administrator_revokes_an_agent_by_its_machine(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    page = f"/admin/agents/{machine.id}/revoke"
    assert page in (await browsers["ada"].get("/admin/agents")).text
    assert page not in (await browsers["ben"].get("/admin/agents")).text
    assert (await browsers["ada"].fill(page, reason="")).status_code == 422
    assert world.nudged == []
    assert (await browsers["ada"].fill(page, reason="the disk was stolen")).headers["location"] == "/admin/agents"
    assert len(world.nudged) == 1
    text = (await browsers["ada"].get("/admin/agents")).text
    assert "The agent was revoked and gets no work." in text
    assert page not in text


async def test_the_form_builds_what_it_describes_and_gives_the_zip(world: World, browsers: dict[str, Browser]) -> None:
    await publish(world)
    async with world.answering(QueueName.PACKAGES, composed) as heard_of:
        answer = await browsers["ada"].fill(
            DOWNLOAD,
            user_name="ben",
            uses="20",
            lifetime_seconds="3600",
            host_pattern="dmz-*",
            networks="10.20.0.0/16, 2001:db8::/32",
            approval="yes",
            server_name="keyturn.example",
            server_port="443",
            also="eve",
        )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.content == ZIP[:PREFIX] + TAIL
    assert answer.headers["x-keyturn-sha256"] == hashlib.sha256(answer.content).hexdigest()
    (request,) = heard_of
    content = request.content
    assert isinstance(content, ComposeContent)
    assert (content.server_name, content.server_port, content.schedule_interval) == ("keyturn.example", 443, 60)
    bounds = content.bounds
    assert (bounds.uses, bounds.lifetime_seconds, bounds.user_names) == (20, 3_600, ("ben", "eve"))
    assert (bounds.host_pattern, bounds.networks, bounds.approval) == ("dmz-*", ("10.20.0.0/16", "2001:db8::/32"), True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"uses": "0"}, "1 to 10000 machines."),
        ({"uses": "many"}, "1 to 10000 machines."),
        ({"lifetime_seconds": "9"}, "Choose one of the times."),
        ({"host_pattern": "a b"}, "A host name may have"),
        ({"networks": "10.0.0.1/8"}, "A network is its first address"),
        ({"user_name": "Ben"}, "A user name is 1 to 64"),
        ({"user_name": "nobody-here"}, "There is no user named nobody-here."),
        ({"also": "nobody-here"}, "There is no user named nobody-here."),
        ({"platform": "beos"}, "Choose one of the systems."),
        ({"server_name": "a/b"}, "A server name is a host name"),
        ({"server_port": "70000"}, "A port is 1 to 65535."),
        ({"schedule_interval": "1"}, "5 to 86400 seconds."),
    ],
)
async def test_a_wrong_bound_is_named_and_nothing_is_built(
    world: World, browsers: dict[str, Browser], typed: dict[str, str], said: str
) -> None:
    await publish(world)
    answer = await browsers["ada"].fill(DOWNLOAD, **{"host_pattern": "kept", **typed})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert forms(answer)[DOWNLOAD]["host_pattern"] == typed.get("host_pattern", "kept")


async def test_a_system_without_a_published_agent_cannot_be_chosen(world: World, browsers: dict[str, Browser]) -> None:
    assert "No agent was published on this server yet" in (await browsers["ben"].get(DOWNLOAD)).text
    await publish(world)
    text = (await browsers["ben"].get(DOWNLOAD)).text
    assert 'value="linux" checked>' in text
    assert 'value="windows" disabled>' in text


async def test_a_package_for_a_known_machine_is_bound_to_it(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    await publish(world)
    async with world.answering(QueueName.PACKAGES, composed) as heard_of:
        answer = await browsers["ada"].fill(f"{DOWNLOAD}?resource={machine.id}", DOWNLOAD)
    assert answer.status_code == 200
    (request,) = heard_of
    assert isinstance(request.content, ComposeContent)
    assert (request.content.bounds.resource, request.content.user_name) == (machine.id, "ben")
    assert (await browsers["eve"].get(f"{DOWNLOAD}?resource={machine.id}")).status_code == 404


async def copied(world: World, machine: Resource) -> None:
    """The machine's identity is on two machines."""
    here = Side("a" * 32, 7, "web-01", "192.0.2.10", NOW - 900_000, NOW - 60_000)
    there = Side("b" * 32, 9, "web-01-copy", "192.0.2.11", NOW - 300_000, NOW - 30_000)
    runs, fork = Runs(there, 3, answered=True), "req_" + "a" * 26
    await RunsDocuments(world.admin).insert(RunsDocument(id=machine.agent, runs=runs, fork=fork, sides=(here, there)))


async def test_of_two_machines_with_one_identity_an_administrator_chooses_one(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    await heard(world, machine, 30_000)
    await copied(world, machine)
    ada, page = browsers["ada"], f"/admin/agents/{machine.id}/choose"
    text = (await ada.get("/admin/agents")).text
    assert "On two machines" in text
    assert "web-01 at 192.0.2.10, and web-01-copy at 192.0.2.11." in text
    assert page in text
    assert f"/admin/agents/{machine.id}/revoke" in text
    assert page not in (await browsers["ben"].get("/admin/agents")).text
    of_machine = f"/resources/{machine.id}"
    shown, bens = (await ada.get(of_machine)).text, (await browsers["ben"].get(of_machine)).text
    assert (", quarantined" in shown, "revoked" in shown) == (True, False)
    assert (page in shown, page in bens) == (True, False)
    assert (await browsers["ben"].get(page)).status_code == 403
    asked = (await ada.get(page)).text
    assert ">from 192.0.2.11<" in asked
    assert ">30 s ago</time>" in asked
    unsaid = await ada.fill(page, reason="the copy was a test", run="c" * 32)
    assert (unsaid.status_code, "Nothing was chosen." in unsaid.text) == (404, True)
    assert (await ada.fill(page, reason="", run="a" * 32)).status_code == 422
    assert (await ada.fill(page, reason="the copy was a test", run="a" * 32)).headers["location"] == "/admin/agents"
    (asked_for,) = await Requests(world.admin).waiting(NOW + 1)
    content = Request.model_validate_json(asked_for.signed.payload).content
    assert isinstance(content, ChooseContent)
    assert (content.run, content.reason) == ("a" * 32, "the copy was a test")


async def test_where_there_is_nothing_to_choose_any_more_the_page_goes_back(
    browsers: dict[str, Browser], machine: Resource
) -> None:
    answer = await browsers["ada"].get(f"/admin/agents/{machine.id}/choose")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/agents")


async def test_a_lost_session_keeps_what_was_typed_into_the_download(
    browsers: dict[str, Browser], machine: Resource
) -> None:
    ada = browsers["ada"]
    revoke = f"/admin/agents/{machine.id}/revoke"
    for page, typed in ((DOWNLOAD, {"host_pattern": "dmz-*", "uses": "7"}), (revoke, {"reason": "stolen"})):
        fields = forms(await ada.get(page))[page]
        ada.client.cookies.delete(SESSION)
        assert (await ada.send(page, {**fields, **typed})).headers["location"] == f"/sign-in?next={page}"
        await ada.sign_in_again("ada")
        shown = await ada.get(page)
        assert "What you typed is here again" in shown.text
        assert forms(shown)[page].items() >= typed.items()
        assert "here again" not in (await ada.get(page)).text


async def test_a_machines_pages_say_what_is_wrong_with_its_agent(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    account = await world.account(machine)
    for ago, said in ((30_000, False), (SILENT_AFTER + 60_000, True)):
        await heard(world, machine, ago)
        for path in (f"/resources/{machine.id}", f"/accounts/{account.id}"):
            text = (await browsers["ben"].get(path)).text
            assert ("Changes wait until it calls again." in text) is said
            assert ("sh installAgent-service.sh status" in text) is said
