"""An envelope as the body of a message, in both directions within the same bound."""

from libs.broker.errors import MessageTooLargeError
from libs.wire.envelope import MAX_BYTES, Envelope


def body(envelope: Envelope) -> bytes:
    """The bytes to send.

    Raises:
        MessageTooLargeError: no reader would take them.
    """
    raw = envelope.to_bytes()
    if len(raw) > MAX_BYTES:
        raise MessageTooLargeError(f"{envelope.type} has {len(raw)} bytes; {MAX_BYTES} are allowed")
    return raw
