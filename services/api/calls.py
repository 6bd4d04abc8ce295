"""Questions to scheduler and bundler: one signed request, one answer, within seconds, and nothing is stored."""

from typing import TypeVar

from libs.broker.errors import BrokerError
from libs.broker.ports import Broker
from libs.wire.envelope import UnreadableError
from libs.wire.events import Answered, Asked
from libs.wire.ids import Noun, new_id
from libs.wire.model import Wire
from libs.wire.requests import Declined, Person
from services.api.errors import AwayError, DeclinedError
from services.api.signing import Signer

A = TypeVar("A", bound=Wire)


class Calls:
    """The gateway's questions."""

    def __init__(self, broker: Broker, signer: Signer) -> None:
        self._broker, self._signer = broker, signer

    async def ask(
        self,
        kind: type[Asked],
        content: Wire,
        answer: type[A],
        *,
        person: Person | None,
        seconds: float,
        away: AwayError,
        resource: str | None = None,
    ) -> A:
        """The answer to `content`.

        The request is good for as long as its caller waits, so none is carried out behind his back.

        Raises:
            AwayError: `away`, where no answer came in time.
            DeclinedError: it was declined; with the code of who declined it.
        """
        name = new_id(Noun.REQUEST, self._signer.entropy)
        lifetime = int(seconds * 1000)
        _, signed = self._signer.request(content, name=name, person=person, lifetime=lifetime, resource=resource)
        envelope = kind(signed=signed).envelope(self._signer.clock(), self._signer.entropy)
        try:
            answered = Answered.read(await self._broker.call(envelope, timeout_s=seconds))
        except BrokerError as error:
            if not error.retryable:
                raise
            raise away from error
        except UnreadableError as error:
            raise away from error
        if answered.answer is None:
            raise DeclinedError(Declined.model_validate(answered.declined))
        return answer.model_validate(answered.answer)
