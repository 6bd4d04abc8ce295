"""Every route of the interface and of the page, and whom it serves.

The people: ada administers, olga operates, anna audits, ben owns the machine. Ben shared it with sam to see, with uma
to use, with mia to manage, and with a group that gus is in to use; ace may use its one account. Eve has nothing.
Nobody is not signed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.api.world import PASSWORD

PEOPLE = ("ada", "olga", "anna", "ben", "sam", "uma", "mia", "gus", "ace", "eve")
_EVERYBODY = frozenset(PEOPLE)
_SEERS = _EVERYBODY - {"eve"}


@dataclass(frozen=True)
class Rule:
    """Who is served and from whom it is hidden (404); all others are told that it is not for them (403)."""

    serves: frozenset[str]
    hides_from: frozenset[str] = frozenset()


EVERYBODY = Rule(_EVERYBODY)
SEE = Rule(_SEERS, frozenset({"eve"}))
USE = Rule(_SEERS - {"anna", "sam"}, frozenset({"eve"}))
USE_ALL_OF_IT = Rule(USE.serves - {"ace"}, frozenset({"eve"}))
MANAGE = Rule(frozenset({"ada", "ben", "mia"}), frozenset({"eve"}))
SHARING = Rule(MANAGE.serves | {"anna"}, frozenset({"eve"}))
OWN = Rule(frozenset({"ada", "ben"}), frozenset({"eve"}))
PACKAGE = Rule(OWN.serves)  # for ben's user name, which is no secret
MADE_BY_BEN = Rule(frozenset({"ada", "olga", "anna", "ben"}), _EVERYBODY - {"ada", "olga", "anna", "ben"})
DECIDED_BY_BEN = Rule(frozenset({"ada", "ben"}), MADE_BY_BEN.hides_from)
ADMINISTER = Rule(frozenset({"ada"}))
OVERSEE = Rule(frozenset({"ada", "anna"}))
BENS_OWN = Rule(frozenset({"ada", "anna", "ben"}), _EVERYBODY - {"ada", "anna", "ben"})
OF_THE_GROUP = Rule(frozenset({"ada", "anna", "gus"}), _EVERYBODY - {"ada", "anna", "gus"})
NOT_AUDITORS = Rule(_EVERYBODY - {"anna"})
NOBODYS = Rule(frozenset(), _EVERYBODY)


@dataclass(frozen=True)
class Route:
    """A rule, the status for those whom it serves, and what is sent. 503: the rest of the system is away."""

    rule: Rule
    status: int = 200
    sent: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)


INTERFACE: dict[tuple[str, str], Route] = {
    ("GET", "/v1/sessions/current"): Route(EVERYBODY),
    ("DELETE", "/v1/sessions/current"): Route(EVERYBODY, 204),
    ("GET", "/v1/sessions"): Route(EVERYBODY),
    ("POST", "/v1/sessions/confirm"): Route(EVERYBODY, 204, {"password": PASSWORD}),
    ("POST", "/v1/sessions/password"): Route(EVERYBODY, 422, {"own": PASSWORD, "password": "short"}),
    ("DELETE", "/v1/sessions/{session}"): Route(NOBODYS),
    ("GET", "/v1/users"): Route(OVERSEE),
    ("POST", "/v1/users"): Route(ADMINISTER, 201, {"name": "new", "password": "their-first-pass-phrase"}),
    ("GET", "/v1/users/{ben}"): Route(BENS_OWN),
    ("PATCH", "/v1/users/{zoe}"): Route(ADMINISTER, 200, {"role": "operator"}),
    ("GET", "/v1/second-factor"): Route(EVERYBODY),
    ("POST", "/v1/second-factor"): Route(EVERYBODY, 201, {"password": PASSWORD}),
    ("POST", "/v1/second-factor/confirm"): Route(EVERYBODY, 422, {"code": "not-one"}),
    ("POST", "/v1/second-factor/remove"): Route(EVERYBODY, 204, {"password": PASSWORD}),
    ("DELETE", "/v1/users/{zoe}/sessions"): Route(ADMINISTER, 204),
    ("DELETE", "/v1/users/{zoe}/second-factor"): Route(ADMINISTER, 204),
    ("GET", "/v1/access-tokens"): Route(EVERYBODY),
    ("POST", "/v1/access-tokens"): Route(EVERYBODY, 201, {"name": "a test", "scopes": ["see"], "password": PASSWORD}),
    ("DELETE", "/v1/access-tokens/{nobodys_token}"): Route(NOBODYS),
    ("GET", "/v1/groups"): Route(EVERYBODY),
    ("POST", "/v1/groups"): Route(ADMINISTER, 201, {"name": "new"}),
    ("GET", "/v1/groups/{group}"): Route(OF_THE_GROUP),
    ("GET", "/v1/groups/{group}/members"): Route(OF_THE_GROUP),
    ("POST", "/v1/groups/{group}/members"): Route(ADMINISTER, 201, {"user_name": "zoe"}),
    ("DELETE", "/v1/groups/{group}/members/{zoe}"): Route(ADMINISTER, 204),
    ("DELETE", "/v1/groups/{spare}"): Route(ADMINISTER, 204),
    ("GET", "/v1/shares"): Route(SHARING, query={"resource": "{resource}"}),
    ("POST", "/v1/shares"): Route(MANAGE, 201, {"resource": "{resource}", "person": "zoe", "level": "see"}),
    ("DELETE", "/v1/shares/{share}"): Route(MANAGE),
    ("GET", "/v1/resources"): Route(EVERYBODY),
    ("GET", "/v1/resources/{resource}"): Route(SEE),
    ("GET", "/v1/resources/{resource}/accounts"): Route(SEE),
    ("POST", "/v1/resources/{resource}/owner"): Route(OWN, 503, {"user_name": "zoe"}),
    ("POST", "/v1/resources/{resource}/discover"): Route(USE_ALL_OF_IT, 202),
    ("GET", "/v1/accounts/{account}"): Route(SEE),
    ("POST", "/v1/accounts/{account}/reset"): Route(USE, 202, {}),
    ("POST", "/v1/accounts/{account}/verify"): Route(USE, 202, {}),
    ("POST", "/v1/accounts/{account}/adopt"): Route(USE, 409, {"password": "Is-live-now-1"}),  # it is in sync
    ("POST", "/v1/accounts/{account}/reveal"): Route(USE, 503, {"recipient": "A" * 43 + "=", "reason": "?"}),
    ("GET", "/v1/tasks"): Route(SEE, query={"mine": "false", "account": "{account}"}),
    ("GET", "/v1/tasks/{task}"): Route(SEE),
    ("POST", "/v1/tasks/{task}/cancel"): Route(USE, 202),
    ("GET", "/v1/notifications"): Route(EVERYBODY),
    ("GET", "/v1/packages"): Route(EVERYBODY),
    ("POST", "/v1/packages"): Route(
        PACKAGE, 503, {"platform": "linux", "user_name": "ben", "for_resource": "{resource}"}
    ),
    ("GET", "/v1/tokens"): Route(EVERYBODY),
    ("POST", "/v1/tokens/{token}/revoke"): Route(DECIDED_BY_BEN, 503),
    ("GET", "/v1/enrolments"): Route(EVERYBODY),
    ("POST", "/v1/enrolments/{enrolment}/approve"): Route(DECIDED_BY_BEN, 503),
    ("POST", "/v1/enrolments/{enrolment}/deny"): Route(DECIDED_BY_BEN, 503),
    ("GET", "/v1/incidents"): Route(EVERYBODY),
    ("POST", "/v1/incidents/{incident}/close"): Route(DECIDED_BY_BEN, 200, {"reason": "a test"}),
    ("GET", "/v1/agents"): Route(EVERYBODY),
    ("POST", "/v1/agents/{agent}/choose"): Route(ADMINISTER, 409, {"run": "0" * 32, "reason": "a test"}),
    ("POST", "/v1/agents/{spare_agent}/revoke"): Route(ADMINISTER, 200, {"reason": "a test"}),
    ("GET", "/v1/audit"): Route(OVERSEE),
    ("GET", "/v1/audit/export"): Route(OVERSEE),
}
FOR_ANYBODY = {("GET", "/v1/about"), ("POST", "/v1/setup"), ("POST", "/v1/sessions")}
STREAM = {("GET", "/v1/events")}

PAGES: dict[str, Route] = {
    "/resources": Route(EVERYBODY),
    "/resources/{resource}": Route(SEE),
    "/resources/{resource}/sharing": Route(SHARING),
    "/resources/{resource}/sharing/new": Route(MANAGE),
    "/resources/{resource}/owner": Route(OWN),
    "/accounts/{account}": Route(SEE),
    "/accounts/{account}/change": Route(SEE),
    "/accounts/{account}/adopt": Route(SEE),
    "/accounts/{account}/verify": Route(SEE),
    "/accounts/{account}/reveal": Route(SEE),
    "/tasks/{task}": Route(SEE, 303),
    "/notifications": Route(EVERYBODY),
    "/admin/agents": Route(EVERYBODY),
    "/admin/agents/download": Route(EVERYBODY),
    "/admin/enrolments/{enrolment}": Route(MADE_BY_BEN),
    "/admin/tokens/{token}/revoke": Route(MADE_BY_BEN),
    "/admin/incidents/{incident}/close": Route(MADE_BY_BEN),
    "/admin/agents/{resource}/revoke": Route(ADMINISTER),
    "/admin/agents/{resource}/choose": Route(ADMINISTER, 303),  # there is nothing to choose
    "/admin/about": Route(EVERYBODY),
    "/people": Route(OVERSEE),
    "/people/new": Route(ADMINISTER),
    "/people/{zoe}/change": Route(ADMINISTER),
    "/people/groups": Route(EVERYBODY),
    "/people/groups/new": Route(ADMINISTER),
    "/people/groups/{group}": Route(OF_THE_GROUP),
    "/people/groups/{group}/remove": Route(ADMINISTER),
    "/me": Route(EVERYBODY),
    "/me/password": Route(EVERYBODY),
    "/me/access-tokens": Route(EVERYBODY),
    "/me/access-tokens/new": Route(EVERYBODY),
    "/me/second-factor": Route(EVERYBODY),
    "/audit": Route(OVERSEE),
    "/audit/export": Route(OVERSEE),
    "/design": Route(EVERYBODY),
}
FORMS: dict[str, Route] = {
    "/resources/{resource}/sharing/new": Route(MANAGE, 303, {"kind": "person", "with": "zoe", "level": "see"}),
    "/resources/{resource}/sharing/{share}/end": Route(MANAGE, 303),
    "/resources/{resource}/owner": Route(OWN, 503, {"user_name": "zoe"}),
    "/resources/{resource}/discover": Route(USE_ALL_OF_IT, 303),
    "/accounts/{account}/change": Route(USE, 303, {"how": "generate", "length": "24", "alphabet": "full"}),
    "/accounts/{account}/adopt": Route(USE, 409, {"password": "Is-live-now-1"}),  # it is in sync
    "/accounts/{account}/verify": Route(USE, 303),
    "/accounts/{account}/reveal": Route(USE, 503, {"reason": "x", "password": PASSWORD}),
    "/tasks/{task}/cancel": Route(USE, 303),
    "/admin/agents/download": Route(
        OWN, 503, {"platform": "linux", "user_name": "ben", "lifetime_seconds": "3600", "for_resource": "{resource}"}
    ),
    "/admin/enrolments/{enrolment}": Route(DECIDED_BY_BEN, 503, {"decision": "approve"}),
    "/admin/tokens/{token}/revoke": Route(DECIDED_BY_BEN, 503),
    "/admin/incidents/{incident}/close": Route(DECIDED_BY_BEN, 303, {"reason": "ours"}),
    "/admin/agents/{spare_resource}/revoke": Route(ADMINISTER, 303, {"reason": "lost"}),
    "/admin/agents/{resource}/choose": Route(ADMINISTER, 303, {"run": "a" * 32, "reason": "x"}),
    "/people/new": Route(
        ADMINISTER, 303, {"name": "newer", "role": "user", "password": "their-first-pass-phrase", "own": PASSWORD}
    ),
    "/people/{zoe}/change": Route(ADMINISTER, 303, {"role": "user", "entry": "in", "own": PASSWORD}),
    "/people/groups/new": Route(ADMINISTER, 303, {"group": "newer"}),
    "/people/groups/{group}/join": Route(ADMINISTER, 303, {"user_name": "zoe"}),
    "/people/groups/{group}/members/{zoe}/leave": Route(ADMINISTER, 303),
    "/people/groups/{spare}/remove": Route(ADMINISTER, 303),
    "/me/access-tokens/new": Route(
        EVERYBODY, 200, {"token_name": "a test", "scope-see": "yes", "days": "1", "password": PASSWORD}
    ),
    "/me/access-tokens/{nobodys_token}/end": Route(NOBODYS),
    "/me/second-factor": Route(EVERYBODY, 200, {"password": PASSWORD}),
    "/me/second-factor/confirm": Route(EVERYBODY, 422),
    "/me/second-factor/end": Route(EVERYBODY, 303, {"password": PASSWORD}),
    "/people/{zoe}/second-factor/end": Route(ADMINISTER, 303),
    "/people/{zoe}/sign-out": Route(ADMINISTER, 303),
    "/me/password": Route(EVERYBODY, 422, {"own": PASSWORD, "password": "short"}),
    "/me/sessions/{session}/end": Route(NOBODYS),
    "/sign-out": Route(EVERYBODY, 303),
}
PAGES_FOR_ANYBODY = {
    *(("GET", path) for path in ("/", "/set-up", "/sign-in", "/static/{name}")),
    *(("POST", path) for path in ("/set-up", "/sign-in", "/sign-in/code")),
}
