"""Recording what people asked the gateway for: durable before the answer leaves."""

from collections.abc import Callable, Mapping
from typing import Any

from libs.store.audit import Audit, AuditRecord, Who
from libs.wire.ids import Entropy, Noun, new_id
from libs.wire.requests import Person


class Recorder:
    """Writes the gateway's own records. `clock` in Unix milliseconds."""

    def __init__(self, audit: Audit, clock: Callable[[], int], entropy: Entropy) -> None:
        self._audit, self._clock, self._entropy = audit, clock, entropy

    async def record(
        self,
        what: str,
        person: Person | None,
        *,
        account: str | None = None,
        resource: str | None = None,
        task: str | None = None,
        outcome: str = "done",
        reason: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """One record; `what` is noun.verb. `detail` holds nothing secret.

        Raises:
            StoreError: it is not known to be durable, so what it tells of must not go on.
        """
        extra = dict(detail or {})
        if person is not None:
            extra["via"] = person.via
        await self._audit.append(
            AuditRecord(
                id=new_id(Noun.AUDIT, self._entropy),
                at=self._clock(),
                who=None if person is None else Who(id=person.id, name=person.name),
                what=what,
                account=account,
                resource=resource,
                task=task,
                outcome=outcome,
                reason=reason,
                address="" if person is None else person.address,
                extra=extra,
            )
        )
