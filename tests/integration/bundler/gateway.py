"""What a gateway does to ask the bundler."""

import asyncio
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from libs.broker.errors import BrokerError
from libs.broker.ports import Broker
from libs.service.clock import RealClock
from libs.wire.envelope import Envelope
from libs.wire.events import Answered, Asked, CertifyAsked, ComposeAsked, EnrolAsked
from libs.wire.ids import Noun, new_id
from libs.wire.requests import CertifyContent, ComposeContent, EnrolContent, Person, Request
from libs.wire.sign import Prefix, sign

PERSON = Person(id=new_id(Noun.USER), name="ops")
_KINDS: dict[str, type[Asked]] = {"enrol": EnrolAsked, "compose": ComposeAsked, "certify": CertifyAsked}


class Gateway:
    """Signs and asks."""

    def __init__(self, broker: Broker, key: Path) -> None:
        private = load_pem_private_key(key.read_bytes(), password=None)
        assert isinstance(private, Ed25519PrivateKey)
        self._broker, self._key, self._clock = broker, private, RealClock()

    def envelope(self, content: EnrolContent | ComposeContent | CertifyContent) -> Envelope:
        now = self._clock.now()
        request = Request(id=new_id(Noun.REQUEST), issued_at=now, deadline=now + 60_000, person=PERSON, content=content)
        signed = sign(request.to_bytes(), Prefix.REQUEST, self._key)
        return _KINDS[content.kind](signed=signed).envelope(now)

    async def ask(self, content: EnrolContent | ComposeContent | CertifyContent, *, timeout_s: float = 20) -> Answered:
        """The answer; asked again while the broker is away, and until the bundler is not busy."""
        async with asyncio.timeout(90):
            while True:
                try:
                    answer = Answered.read(await self._broker.call(self.envelope(content), timeout_s=timeout_s))
                except BrokerError as error:
                    if not error.retryable:
                        raise
                else:
                    if answer.declined is None or not answer.declined["retryable"]:
                        return answer
                await asyncio.sleep(0.2)
