"""Whether a password is the one behind a field, in three values and with what there is to remark."""

from agent.backends.crypt import Crypt
from agent.backends.password_field import PasswordField, ignores_tail, is_weak, prefix_of
from agent.backends.ports import Comparison, Opens
from libs.wire.observations import Kind
from libs.wire.reasons import Reason, Remark
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable


def compare_field(crypt: Crypt, field: PasswordField, kinds: frozenset[Kind], secret: Secret) -> Comparison:
    """Compare behind a lock mark, so a locked account is `locked`, never `wrong`. Blocks for the time of one hash."""
    remarks = {Remark(kind.value) for kind in kinds if kind in {Kind.LOCKED, Kind.EXPIRED}}
    if field.never_had or field.empty or why_not_settable(secret):
        # Nothing that the vault could hold opens such a field, so this is an answer, not a failure to tell.
        return Comparison(Opens.DOES_NOT_OPEN, remarks=frozenset(remarks))
    prefix = prefix_of(field.rest)
    if not crypt.can_verify(prefix):
        shown = (prefix or field.rest[:4]).decode("ascii", "replace")
        sentence = f"this host's libcrypt cannot verify the format {shown!r}"
        return Comparison(Opens.CANNOT_TELL, Reason.HASH_NOT_KNOWN, sentence, frozenset(remarks))
    if is_weak(field.rest):
        remarks.add(Remark.HASH_IS_WEAK)
    if not crypt.matches(secret.reveal(), field.rest):
        return Comparison(Opens.DOES_NOT_OPEN, remarks=frozenset(remarks))
    if ignores_tail(field.rest, secret.reveal()):
        remarks.add(Remark.HASH_IGNORES_TAIL)
    return Comparison(Opens.OPENS, remarks=frozenset(remarks))


def last_byte_changed(secret: Secret) -> Secret:
    """Another password of the same length that could be set too: only its last byte differs."""
    plain = secret.reveal()
    other = next(
        plain[:-1] + bytes([plain[-1] ^ bit])
        for bit in (1, 2, 4)
        if not why_not_settable(Secret(bytes([plain[-1] ^ bit])))
    )
    return Secret(other)
