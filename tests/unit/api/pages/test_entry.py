"""Set-up, signing in and out, and what a browser is told with it."""

import httpx
import pytest

from tests.unit.api.pages.browser import ORIGIN, SESSION, Browser, forms
from tests.unit.api.world import PASSWORD, World


async def code_of(world: World) -> str:
    assert await world.gateway.setup.prepare()
    return (world.private / "setup-code").read_text().strip()


async def test_set_up_makes_the_first_administrator_and_signs_in(world: World) -> None:
    browser, code = Browser(world), await code_of(world)
    first = await browser.get("/")
    assert (first.status_code, first.headers["location"]) == (303, "/resources")
    for path, following in (("/resources", "/sign-in?next=/resources"), ("/sign-in", "/set-up")):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, following)
    answer = await browser.fill("/set-up", code=code.upper(), name="ada", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/resources")
    shown = await browser.get("/resources")
    assert shown.status_code == 200
    assert "Signed in as ada, administrator" in shown.text
    done = await browser.get("/set-up")
    assert done.headers["location"] == "/sign-in"


async def test_set_up_says_what_is_wrong_and_repeats_no_secret(world: World) -> None:
    browser, code = Browser(world), await code_of(world)
    short = await browser.fill("/set-up", code=code, name="Ada L", password="canary-one")
    assert short.status_code == 422
    assert "A user name is" in short.text
    assert forms(short)["/set-up"]["name"] == "Ada L"
    wrong = await browser.fill("/set-up", code="a" * 26, name="ada", password="canary-long-enough")
    assert wrong.status_code == 403
    assert "Tries left: 4" in wrong.text
    weak = await browser.fill("/set-up", code=code, name="ada", password="canary-one")
    assert (weak.status_code, "12 to 128 characters; this has 10" in weak.text) == (422, True)
    for answer in (short, wrong, weak):
        assert "canary" not in answer.text
        assert code not in answer.text


@pytest.mark.usefixtures("users")
async def test_the_cookie_is_this_hosts_own_and_no_script_reads_it(world: World) -> None:
    browser = Browser(world)
    answer = await browser.fill("/sign-in", name="ben", password=PASSWORD)
    kept = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{SESSION}="))
    attributes = {each.strip().lower() for each in kept.split(";")[1:]}
    assert {"path=/", "secure", "httponly", "samesite=strict"} <= attributes
    assert not any(each.startswith("domain") for each in attributes)
    assert browser.client.cookies[SESSION] not in world.documents()


@pytest.mark.usefixtures("users")
async def test_a_wrong_password_is_said_without_which_and_kept_out_of_the_page(world: World) -> None:
    browser = Browser(world)
    for name in ("ben", "nobody-at-all"):
        answer = await browser.fill("/sign-in", name=name, password="canary-long-enough")
        assert answer.status_code == 401
        assert "The name or the password is not right." in answer.text
        assert forms(answer)["/sign-in"]["name"] == name
        assert "canary" not in answer.text
    assert not browser.signed_in


@pytest.mark.usefixtures("users")
async def test_signing_in_again_ends_the_session_before(world: World) -> None:
    browser = await Browser(world).sign_in("ben")
    before = browser.client.cookies[SESSION]
    answer = await browser.send("/sign-in", {"name": "ben", "password": PASSWORD})
    assert answer.status_code == 303
    other = Browser(world)
    other.client.cookies.set(SESSION, before)
    assert (await other.get("/resources")).status_code == 303


async def test_signing_out_ends_the_session_on_the_server(browsers: dict[str, Browser], world: World) -> None:
    ben = browsers["ben"]
    token = ben.client.cookies[SESSION]
    answer = await ben.fill("/resources", "/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert not ben.signed_in
    ben.client.cookies.set(SESSION, token)
    assert (await ben.get("/resources")).status_code == 303
    bearer = await world.client.get("/v1/sessions/current", headers={"authorization": f"Bearer {token}"})
    assert bearer.status_code == 401


async def test_the_cookie_opens_the_stream_of_events_and_no_other_route_for_programs(
    browsers: dict[str, Browser],
) -> None:
    ben = browsers["ben"]
    for path in ("/v1/resources", "/v1/sessions/current", "/v1/notifications"):
        assert (await ben.get(path)).status_code == 401
    assert (await ben.client.post("/v1/tasks/tsk_x/cancel", headers={"origin": ORIGIN})).status_code in {401, 422}
    assert (await browsers["nobody"].get("/v1/events")).status_code == 401


@pytest.mark.parametrize(
    "next_page",
    [
        "https://evil.example/",
        "//evil.example/resources",
        "/\\evil.example",
        "/resources/../sign-out",
        "javascript:x",
        "",
    ],
)
@pytest.mark.usefixtures("users")
async def test_nobody_is_sent_to_another_place_after_signing_in(world: World, next_page: str) -> None:
    answer = await Browser(world).send("/sign-in", {"name": "ben", "password": PASSWORD, "next": next_page})
    assert (answer.status_code, answer.headers["location"]) == (303, "/resources")


@pytest.mark.usefixtures("users")
async def test_a_form_from_elsewhere_is_refused(world: World) -> None:
    browser = Browser(world)
    fields = {"name": "ben", "password": PASSWORD}
    for origin in ("https://evil.example", "null", "http://keyturn.example", "https://keyturn.example.evil"):
        answer = await browser.send("/sign-in", fields, origin=origin)
        assert (answer.status_code, browser.signed_in) == (403, False)
    without = await browser.client.post("/sign-in", data=fields)
    assert without.status_code == 403


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"name": "ben"}', "application/json"),
        (b"name=ben&name=ada", "application/x-www-form-urlencoded"),
        (b"name=%ff%fe", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(40)), "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_form_is_refused_in_words(world: World, body: bytes, kind: str) -> None:
    headers = {"origin": ORIGIN, "content-type": kind}
    answer = await Browser(world).client.post("/sign-in", content=body, headers=headers)
    assert (answer.status_code, "form" in answer.text) == (422, True)


def told(answer: httpx.Response) -> dict[str, str]:
    """What a browser is told to heed."""
    return {part.split()[0]: part for part in answer.headers["content-security-policy"].split("; ")}


async def test_every_page_is_kept_from_caches_and_from_foreign_code(browsers: dict[str, Browser]) -> None:
    for path in ("/sign-in", "/resources", "/notifications", "/design", "/nowhere"):
        answer = await browsers["ben"].get(path)
        assert answer.headers["cache-control"] == "no-store"
        if answer.status_code == 303:
            continue
        policy = told(answer)
        assert policy["default-src"] == "default-src 'none'"
        assert policy["script-src"] == "script-src 'self'"
        assert policy["style-src"] == "style-src 'self'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "same-origin"
        assert len(answer.headers.get_list("referrer-policy")) == 1
        for inline in ("<style", " style=", "onclick", "onload", "<script>"):
            assert inline not in answer.text


async def test_static_files_are_named_by_their_content_and_kept_for_a_year(browsers: dict[str, Browser]) -> None:
    page = (await browsers["nobody"].get("/design")).headers["location"]
    text = (await browsers["nobody"].get(page)).text
    links = [part.split('"')[0] for part in text.split('="/static/')[1:]]
    assert {each.split(".")[0] for each in links} >= {"tokens", "components", "layout", "forms"}
    for each in links:
        answer = await browsers["nobody"].get(f"/static/{each}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert (await browsers["nobody"].get("/static/tokens.css")).status_code == 404
    assert (await browsers["nobody"].get("/static/..%2fsite.py")).status_code == 404


async def test_who_follows_a_link_of_another_site_need_not_sign_in_again(browsers: dict[str, Browser]) -> None:
    """A browser keeps the cookie back on a request that another site began; the page then asks once more itself."""
    nobody = browsers["nobody"].client
    arrived = await nobody.get("/notifications", headers={"sec-fetch-site": "cross-site"})
    assert (arrived.status_code, arrived.headers["refresh"]) == (200, "0")
    assert "Signed in as" not in arrived.text
    asked_again = await nobody.get("/notifications", headers={"sec-fetch-site": "same-origin"})
    assert asked_again.headers["location"] == "/sign-in?next=/notifications"
    assert "refresh" not in (await browsers["ben"].get("/notifications")).headers
