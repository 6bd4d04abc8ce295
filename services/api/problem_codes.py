"""The codes of problems, for those who write programs: what each says, and with which HTTP status it comes.

A code is stable and never used for another meaning. The reasons of tasks (`libs.wire.reasons`) are codes too, with 409.
A test of the house looks for codes in all services and holds this list to them.
"""

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # The request itself.
        "invalid": ("422", "A field breaks its rule; `errors` names each field and what would be right."),
        "bad_request": ("400", "This is no request that Keyturn understands."),
        "not_json": ("415", "The body is not JSON."),
        "too_large": ("413", "The body is larger than 64 KiB, or 1 MiB of an agent."),
        "too_slow": ("408", "The body did not come within 30 s."),
        "route_unknown": ("404", "There is no such route; `/openapi.json` lists them all."),
        "method_not_allowed": ("405", "The route takes another method."),
        "idempotency_key_wrong": ("422", "The `Idempotency-Key` is not 8 to 128 letters, digits, or . : - _"),
        "idempotency_key_reused": ("422", "The key came with another request before. Use a fresh key for each change."),
        "idempotency_key_unanswered": (
            "409",
            "The first request is under way, or its answer is lost. Look before you go on.",
        ),
        "answer_given_once": ("409", "It was done; its answer held a secret and was given that once."),
        "foreign_form": ("403", "The form was not sent from a page of this server."),
        "stale_form": ("403", "The form belongs to a sign-in that has ended."),
        # Who asks.
        "not_signed_in": ("401", "No token, or one that is past or unknown."),
        "wrong_sign_in": ("401", "The name or the password is not right; which of them is not said."),
        "confirm_first": (
            "401",
            "The session is good, but its person has to say again who they are: `POST /v1/sessions/confirm`.",
        ),
        "code_needed": ("401, 422", "The password is right, and the code of the second factor is missing."),
        "wrong_code": ("401, 422", "The code is not right, or was used already."),
        "wrong_setup_code": ("403", "The set-up code is another one, or used, or past."),
        "second_factor_required": ("403, 409", "This server wants everybody to have a second factor."),
        "not_allowed": (
            "403",
            "The role, or the level of the share, does not allow it; the sentence says whom to ask.",
        ),
        "scope_missing": ("403", "The access token was made for less; the sentence names the scope."),
        "not_there": ("404", "There is no such thing, or it is not yours to see: the same answer."),
        "too_many_requests": (
            "429",
            "More requests than one person may send in a minute; each answer tells what is left.",
        ),
        "slow_down": ("429", "Too many tries; `retry_after` says how many seconds to wait."),
        # What is asked for.
        "account_changed": ("412", "The account changed since it was read; `If-Match` named an older revision."),
        "task_ended": ("409", "The task has ended; there is nothing to cancel."),
        "nothing_to_reveal": ("409", "Keyturn never set this password, so it does not know it."),
        "reveal_budget_spent": (
            "503",
            "As many passwords were revealed this hour as may be; the next hour allows more.",
        ),
        "not_quarantined": ("409", "The agent is not on two machines."),
        "revocation_not_trusted": ("409", "The scheduler did not trust the request that revokes this agent."),
        "resource_name_taken": ("409", "The new owner has a resource of this name already."),
        "password_guessable": ("422", "The password would be guessed; a person's own has to be another one."),
        "user_name_taken": ("409", "There is a user of this name already."),
        "user_name_unknown": ("422", "There is no user of this name."),
        "user_busy": ("409", "Somebody else changed this user at the same moment."),
        "not_yourself": ("409", "Another administrator has to do this to you."),
        "group_name_taken": ("409", "There is a group of this name already."),
        "group_unknown": ("422", "There is no group of this name."),
        "too_many_groups": ("409", "The person is in 100 groups."),
        "owns_already": ("409", "Who owns a thing needs no share of it."),
        "too_many_shares": ("409", "There are 500 shares on this resource; share it with a group."),
        "share_busy": ("409", "Somebody else changed this share at the same moment."),
        "second_factor_not_begun": ("409", "There is no second factor to confirm."),
        "second_factor_busy": ("409", "The second factor was changed at the same moment."),
        "too_many_access_tokens": ("409", "The person has 100 access tokens."),
        "setup_done": ("409", "This server is set up already."),
        # What is behind the gateway. All of these are worth another try.
        "store_away": ("503", "The store does not answer, and nothing was changed."),
        "outcome_unknown": ("503", "The store's answer was lost: look before you repeat it."),
        "broker_away": ("503", "The broker does not answer."),
        "scheduler_away": ("503", "The scheduler does not answer."),
        "bundler_away": ("503", "The bundler does not answer."),
        "bundler_behind": ("503", "The bundler has not read its newest keys yet."),
        "bundler_busy": ("503", "The bundler was in its own way; try again."),
        "bundler_fault": ("409", "The bundler could not do this; its log says why."),
        "reveal_unavailable": ("503", "The scheduler does not answer, so nothing is revealed; nothing was stored."),
        "runtime_busy": ("503", "Many agents download a release at the same time; `retry_after` says when to ask."),
        "runtime_damaged": ("503", "The agent's runtime in the store is not whole; publish it again."),
        "gateway_stopping": ("503", "This server is stopping, and nothing was done."),
        "internal": ("500", "The fault is on the server's side and stands in its log."),
        # Packages, and machines that enrol by them.
        "token_unknown": ("409", "There is no such enrolment token."),
        "token_used": ("409", "The token was used, by as many machines as it admits."),
        "token_expired": ("409", "The token's time is over."),
        "token_revoked": ("409", "The token was revoked."),
        "token_host_not_allowed": ("409", "The machine does not call itself as the token wants."),
        "token_network_not_allowed": ("409", "The machine was seen from another network than the token allows."),
        "user_name_not_allowed": ("409", "agent.conf names a user whom the package may not use."),
        "platform_mismatch": ("409", "The package is for another system."),
        "csr_invalid": ("409", "The certificate request is none that can be certified."),
        "name_invalid": ("409", "A name cannot stand in a certificate."),
        "approval_denied": ("409", "A person kept this machine out."),
        "enrolment_unknown": ("409", "There is no such enrolment."),
        "enrolment_settled": ("409", "Somebody has decided on it already."),
        "enrolment_too_old": ("409", "It waited too long; the machine asks anew."),
        "renewal_invalid": ("409", "The renewal is not the agent's, or not of its present keys."),
        "recipient_invalid": ("409", "The key that the answer is sealed to is none."),
        "request_repeated": ("409", "The same signed request came before."),
        "runtime_missing": ("409", "No agent was published for this system yet: `keyturn-server runtime add`."),
        "runtime_not_trusted": ("409", "The published agent is not signed by the release key."),
        "package_file_missing": ("409", "A file that each package has is not there; the bundler's log names it."),
        # Agents.
        "agent_refused": ("403", "The agent's request does not count."),
        "agent_unknown": ("401", "There is no such agent."),
        "agent_quarantined": ("403", "Two machines use this agent's identity; a person has to choose."),
        "approval_pending": ("409", "The enrolment waits until a person has decided."),
        "certificate_expired": ("401", "The agent's certificate is past; it renews it first."),
        "clock_skew": ("401", "The agent's clock is off; the answer tells the server's time."),
        "nonce_used": ("401", "The same signed request came before."),
        "observation_invalid": ("422", "The observation is none, or not this agent's."),
        "leaving_invalid": ("422", "The last word is none, or not this agent's."),
        "result_invalid": ("422", "The result is none, or not this agent's."),
        "session_ended": ("401", "The agent's session is over; it opens another one."),
        "signature_invalid": ("401", "The request's signature is not the agent's."),
        "signature_missing": ("401", "The request is not signed."),
    }
)
"""By code: the HTTP status, and what it says."""
