"""The way to the server, judged from one call: name, port, proxy, TLS, who answered, and the clock."""

from http import HTTPStatus
from typing import Final

from agent.doctor.finding import Finding
from agent.doctor.visit import Visit
from libs.wire.troubles import Trouble

_MOST_SKEW_MS: Final = 60_000
"""The age up to which the server takes a signature without telling its clock first."""


def findings(visit: Visit) -> list[Finding]:
    """As far as the call came; what lies behind an obstacle is not judged."""
    found = [_name(visit)]
    if not found[-1].well:
        return found
    for judge in (_reached, _proxy, _tls, _answer, _clock):
        one = judge(visit)
        if one is not None:
            found.append(one)
            if not one.well:
                break
    return found


def _name(visit: Visit) -> Finding:
    what, name = ("proxy name", visit.proxy) if visit.proxy else ("server name", visit.name)
    if visit.name_error:
        code = Trouble.PROXY_UNREACHABLE if visit.proxy else Trouble.SERVER_NAME_UNKNOWN
        return Finding(what, f"{name} has no address: {visit.name_error}", code)
    return Finding(what, f"{name} is {', '.join(visit.addresses)}")


def _reached(visit: Visit) -> Finding:
    where = visit.proxy or f"{visit.name}:{visit.port}"
    what = "proxy" if visit.proxy else "port"
    if visit.connect_error:
        code = Trouble.PROXY_UNREACHABLE if visit.proxy else Trouble.NO_CONTACT
        return Finding(what, f"{where} cannot be reached: {visit.connect_error}", code)
    return Finding(what, f"{where} takes connections")


def _proxy(visit: Visit) -> Finding | None:
    if not visit.proxy:
        return None
    if visit.proxy_status == HTTPStatus.OK:
        return Finding("tunnel", f"the proxy leads to {visit.name}:{visit.port}")
    if visit.proxy_status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return Finding("tunnel", "the proxy wants to be signed in to (407)", Trouble.PROXY_NEEDS_SIGN_IN)
    said = "nothing that is HTTP" if visit.proxy_status is None else str(visit.proxy_status)
    seen = f"the proxy does not lead to {visit.name}:{visit.port}: it answered {said}"
    return Finding("tunnel", seen, Trouble.PROXY_IN_THE_WAY)


def _tls(visit: Visit) -> Finding:
    if visit.tls_error:
        return Finding(
            "TLS", f"{visit.name}:{visit.port} does not speak TLS: {visit.tls_error}", Trouble.PROXY_IN_THE_WAY
        )
    if visit.trust_error:
        seen = f"a certificate issued by {visit.issuer or 'nobody that could be read'} was shown: {visit.trust_error}"
        return Finding("TLS", seen, Trouble.CERTIFICATE_NOT_TRUSTED)
    return Finding("TLS", f"the certificate is issued by {visit.issuer}, which the agent trusts")


def _answer(visit: Visit) -> Finding:
    if visit.status == HTTPStatus.OK and visit.media == "application/json":
        return Finding("server", "it answers as a Keyturn server does")
    said = "nothing" if visit.status is None else f"status {visit.status}, {visit.media or 'no media type'}"
    return Finding("server", f"something else answers, with {said}", Trouble.PROXY_IN_THE_WAY)


def _clock(visit: Visit) -> Finding | None:
    if visit.server_clock is None or visit.host_clock is None:
        return None
    skew = visit.host_clock - visit.server_clock
    if abs(skew) <= _MOST_SKEW_MS:
        return Finding("clock", "as the server's, within a minute")
    words = f"{abs(skew) // 1000} s {'ahead of' if skew > 0 else 'behind'} the server's"
    return Finding("clock", words, Trouble.CLOCK_SKEW, grave=False)
