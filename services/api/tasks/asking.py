"""Asking for tasks: a reset, a verify, a cancel. The gateway checks, seals, signs and writes one document; no more.

A typed password is sealed to the vault before anything is awaited with it, under the task's own identifier. Then it is
judged, which refuses nothing: the host decides, and the person is warned. The request and the event that tells of it
are one write, so after any failure either both exist or neither. The audit record comes first: it tells that somebody
asked, also where the store then failed.

Refusals that the account's document already tells are given at once; the scheduler decides finally, by the same table.
"""

from libs.domain import deadlines
from libs.domain.accounts import Account
from libs.domain.errors import AlreadyAtAgentError, RuleError
from libs.domain.state import Kind, Rotation, Status
from libs.domain.versions import candidates
from libs.store.certificates import Certificates
from libs.store.errors import OutcomeUnknownError
from libs.store.requests import RequestDocument, Requests
from libs.store.resources import Resource
from libs.store.schema import CollectionName
from libs.store.shares import Level
from libs.store.tasks import Tasks as StoredTasks
from libs.vault.seal import VaultKeys
from libs.wire.envelope import Envelope
from libs.wire.events import TaskCancelRequested, TaskRequested
from libs.wire.ids import Noun, derived_id, new_id
from libs.wire.reasons import Reason
from libs.wire.requests import AdoptContent, CancelContent, Policy, ResetContent, TaskContent, VerifyContent
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable
from libs.wire.steps import Step, step
from services.api.access import Access, Caller, may
from services.api.accounts.schemas import AdoptBody, ResetBody, VerifyBody
from services.api.accounts.words import busy
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, InvalidError
from services.api.guessing import Guessing
from services.api.nudge import Nudge
from services.api.revocations import Revocations
from services.api.signing import Signer
from services.api.tasks.schemas import AskedView, TaskState, TaskView
from services.api.tasks.service import Tasks
from services.api.tasks.views import of_request
from services.api.tasks.warnings import warnings_of


class TaskAsking:
    """Puts requests on the desk."""

    def __init__(
        self,
        requests: Requests,
        tasks: StoredTasks,
        certificates: Certificates,
        revocations: Revocations,
        views: Tasks,
        *,
        access: Access,
        signer: Signer,
        vault: VaultKeys,
        recorder: Recorder,
        nudge: Nudge,
        guessing: Guessing,
    ) -> None:
        self._requests, self._tasks, self._views = requests, tasks, views
        self._certificates, self._revocations = certificates, revocations
        self._access, self._signer, self._vault, self._recorder = access, signer, vault, recorder
        self._nudge, self._guessing = nudge, guessing

    async def reset(self, caller: Caller, key: str, body: ResetBody, *, once: str = "") -> AskedView:
        """Asks for a reset; `once`, where it is given, names the form, which asks only once however often it is sent.

        Raises:
            InvalidError: the password cannot be set, or a policy came with it.
            NotThereError, NotAllowedError: as `Access.account` does; it is a use.
            ConflictError: another task holds the account.
            RuleError: the account's status does not allow it.
        """
        _check_password(body.password, body.policy)
        task = self._name(caller, key, once)
        if (known := await self._known(caller, task, once)) is not None:
            warnings = await self._warnings(body.password, known.account.name, known.resource.name)
            return AskedView(task=known, warnings=warnings)
        sealed = None if body.password is None else self._vault.seal_typed(body.password, key, task)
        account, resource = await self._free(caller, key, Kind.RESET)
        warnings = await self._warnings(body.password, account.name, resource.name)
        content = ResetContent(
            account=key, typed=sealed, policy=body.policy or Policy(), unlock=body.unlock, note=body.note
        )
        typed = {"typed": sealed is not None, "unlock": body.unlock, "note": body.note}
        await self._recorder.record(
            "reset.requested", caller.to_person(), account=key, resource=resource.id, task=task, detail=typed
        )
        return AskedView(task=await self._put(caller, task, content, account, resource), warnings=warnings)

    async def verify(self, caller: Caller, key: str, body: VerifyBody, *, once: str = "") -> AskedView:
        """Asks for a comparison; `once` as for a reset.

        Raises:
            NotThereError, NotAllowedError: as `Access.account` does; it is a use.
            ConflictError: another task holds the account.
            RuleError: the account's status does not allow it, or there is nothing to compare.
        """
        task = self._name(caller, key, once)
        if (known := await self._known(caller, task, once)) is not None:
            return AskedView(task=known)
        account, resource = await self._free(caller, key, Kind.VERIFY)
        await self._recorder.record(
            "verify.requested",
            caller.to_person(),
            account=key,
            resource=resource.id,
            task=task,
            detail={"note": body.note},
        )
        content = VerifyContent(account=key, note=body.note)
        return AskedView(task=await self._put(caller, task, content, account, resource))

    async def adopt(self, caller: Caller, key: str, body: AdoptBody, *, once: str = "") -> AskedView:
        """Asks to compare a password that the person states with the live one, and to keep it if it is.

        `once` as for a reset.

        Raises:
            InvalidError: no account can have this password.
            NotThereError, NotAllowedError: as `Access.account` does; it is a use.
            ConflictError: another task holds the account.
            RuleError: the account's status does not allow it.
        """
        _check_password(body.password, None)
        task = self._name(caller, key, once)
        if (known := await self._known(caller, task, once)) is not None:
            warnings = await self._warnings(body.password, known.account.name, known.resource.name)
            return AskedView(task=known, warnings=warnings)
        sealed = self._vault.seal_typed(body.password, key, task)
        account, resource = await self._free(caller, key, Kind.ADOPT)
        warnings = await self._warnings(body.password, account.name, resource.name)
        await self._recorder.record(
            "adopt.requested",
            caller.to_person(),
            account=key,
            resource=resource.id,
            task=task,
            detail={"note": body.note},
        )
        content = AdoptContent(account=key, typed=sealed, note=body.note)
        return AskedView(task=await self._put(caller, task, content, account, resource), warnings=warnings)

    async def cancel(self, caller: Caller, key: str) -> TaskView:
        """Asks to take a task back.

        Raises:
            NotThereError: it is not there, or not this person's to see.
            NotAllowedError: somebody else asked, and this person may not use the account.
            ConflictError: it has ended.
            AlreadyAtAgentError: an agent has it.
        """
        view = await self._views.one(caller, key)
        may(caller, Level.USE)
        if view.requester is None or view.requester.id != caller.id:
            await self._access.account(caller, view.account.id, Level.USE)
        if not view.open:
            raise ConflictError("The task has ended already; there is nothing to cancel.", "task_ended")
        if view.state is TaskState.OFFERED:
            raise AlreadyAtAgentError
        person, name = caller.to_person(), new_id(Noun.REQUEST, self._signer.entropy)
        request, signed = self._signer.request(
            CancelContent(task=key), name=name, person=person, lifetime=deadlines.HOUR, resource=view.resource.id
        )
        await self._recorder.record(
            "cancel.requested", person, account=view.account.id, resource=view.resource.id, task=key
        )
        document = RequestDocument(id=name, signed=signed, created_at=request.issued_at, requester=caller.id)
        await self._insert(document, TaskCancelRequested(request=name).envelope(request.issued_at))
        return view

    def _name(self, caller: Caller, key: str, once: str) -> str:
        """The task's: a fresh one, or the one that this form always has."""
        return derived_id(Noun.TASK, caller.id, key, once) if once else new_id(Noun.TASK, self._signer.entropy)

    async def _known(self, caller: Caller, task: str, once: str) -> TaskView | None:
        """The task that this form made, if it was sent before: then it holds the account itself."""
        if not once or await self._requests.get(task) is None:
            return None
        return await self._views.one(caller, task)

    async def _warnings(self, password: Secret | None, account: str, resource: str) -> tuple[str, ...]:
        return () if password is None else await warnings_of(password, self._guessing, account, resource)

    async def _free(self, caller: Caller, key: str, kind: Kind) -> tuple[Account, Resource]:
        """The account and its resource, once nothing speaks against a request."""
        account, resource = await self._access.account(caller, key, Level.USE)
        await self._allowed(account.rotation, kind)
        agent = resource.agent
        if await self._certificates.active(agent) is None or await self._revocations.of(agent) is not None:
            raise RuleError(Reason.NO_AGENT)
        return account, resource

    async def _allowed(self, r: Rotation, kind: Kind) -> None:
        if r.status is Status.QUARANTINED:
            raise RuleError(Reason.ACCOUNT_QUARANTINED)
        if kind is not Kind.VERIFY and r.status is Status.UNCERTAIN:
            raise RuleError(Reason.ACCOUNT_UNCERTAIN)
        if r.flight is not None:
            task = await self._tasks.get(r.flight.task)
            who = "Keyturn" if task is not None else None
            if task is not None and task.requester is not None:
                who = task.requester.name
            sentence = busy(r.flight, who, self._signer.clock())
            raise ConflictError(sentence, Reason.ACCOUNT_BUSY.value, task=r.flight.task)
        if kind is Kind.VERIFY and (r.status is Status.UNMANAGED or not candidates(r)):
            raise RuleError(Reason.NOTHING_TO_VERIFY)
        if kind is Kind.ADOPT and r.status not in (Status.UNMANAGED, Status.DRIFT):
            raise RuleError(Reason.PASSWORD_KNOWN)

    async def _put(
        self, caller: Caller, task: str, content: TaskContent, account: Account, resource: Resource
    ) -> TaskView:
        """Writes the request. The answer is made of what is known: no read may fail after the write."""
        request, signed = self._signer.request(
            content, name=task, person=caller.to_person(), lifetime=deadlines.TASK, resource=resource.id
        )
        document = RequestDocument(
            id=task, signed=signed, created_at=request.issued_at, account=account.id, requester=caller.id
        )
        await self._insert(document, TaskRequested(task=task).envelope(request.issued_at))
        return of_request(request, content, account=account.name, resource=resource.name, now=self._signer.clock())

    async def _insert(self, document: RequestDocument, event: Envelope) -> None:
        """One write. Where its answer was lost, the desk tells whether it happened."""
        step(Step.GATEWAY_REQUEST_AUDITED)
        try:
            await self._requests.insert(document, event)
        except OutcomeUnknownError:
            if await self._requests.get(document.id) is None:
                raise
        step(Step.GATEWAY_REQUEST_WRITTEN)
        self._nudge(CollectionName.REQUESTS, document.id)


def _check_password(password: Secret | None, policy: Policy | None) -> None:
    if password is None:
        return
    if policy is not None:
        raise InvalidError("policy", "Give a password, or a policy to generate one by, not both.")
    broken = why_not_settable(password)
    if broken is not None:
        raise InvalidError("password", f"{broken[0].upper()}{broken[1:]}. Nothing was sent.", "password_not_settable")
