"""Packages: the bundler makes the tail with a fresh token, the gateway streams it behind the runtime's bytes.

The tail holds the plain token, so it comes sealed to a key that is made for this one request, and goes nowhere but to
the person who asked.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.store.packages import Package
from libs.store.packages import Packages as StoredPackages
from libs.store.shares import Level
from libs.store.tokens import Tokens
from libs.store.users import Users
from libs.wire.events import ComposeAsked
from libs.wire.ids import Entropy, Noun, new_id
from libs.wire.requests import ComposeContent, Composed, Platform, TokenBounds
from libs.wire.seal import SUITE, Box, Context, Purpose, Sealed, key_id, open_sealed
from services.api.access import Access, Caller, may
from services.api.audit.recording import Recorder
from services.api.calls import Calls
from services.api.errors import AwayError, InvalidError, NotAllowedError
from services.api.fields import Page, Ref, from_cursor, page_of
from services.api.packages.runtimes import Runtimes
from services.api.packages.schemas import PackageBody, PackageView

_SECONDS = 30.0
_PORT = 7272


@dataclass(frozen=True)
class Made:
    """A package on its way."""

    id: str
    file_name: str
    size: int
    sha256: str
    chunks: AsyncIterator[bytes]


class Packages:
    """Builds and lists packages. `clock` in Unix milliseconds."""

    def __init__(
        self,
        packages: StoredPackages,
        tokens: Tokens,
        users: Users,
        runtimes: Runtimes,
        *,
        access: Access,
        calls: Calls,
        recorder: Recorder,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._packages, self._tokens, self._users, self._runtimes = packages, tokens, users, runtimes
        self._access, self._calls, self._recorder = access, calls, recorder
        self._clock, self._entropy = clock, entropy

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[PackageView]:
        """Who sees every machine sees all, others what they made; newest first."""
        made_by = None if caller.sees_all else caller.id
        after = from_cursor(cursor, int)
        found = await self._packages.page(now=self._clock(), limit=limit + 1, after=after, created_by=made_by)
        tokens = {each.id: each.uses_left for each in await self._tokens.get_many(each.token for each in found)}
        return page_of(
            found,
            limit,
            lambda package: _view(package, tokens.get(package.token, 0)),
            lambda package: (package.created_at, package.id),
        )

    async def releases(self) -> dict[Platform, str]:
        """The agent's release by platform; a platform without one has no packages yet."""
        return await self._runtimes.releases()

    async def build(self, caller: Caller, body: PackageBody, *, asked_host: str | None, asked_port: int | None) -> Made:
        """A package; `asked_host` and `asked_port` are how the person reached this server.

        Raises:
            NotAllowedError: for somebody else's user name, and the person is no administrator; or an auditor's.
            NotThereError: the resource that it is for is not there, or somebody else's.
            InvalidError: there is no such user or no server name, or the bounds do not fit the resource.
            AwayError: `bundler_away`, `runtime_damaged`.
            DeclinedError: the bundler said no.
        """
        may(caller, Level.MANAGE)
        names = await self._user_names(caller, body)
        if body.for_resource is not None:
            await self._fits(caller, body, body.for_resource)
        server_name = body.server_name or asked_host
        if server_name is None:
            raise InvalidError("server_name", "Say how agents reach this server.")
        private = X25519PrivateKey.generate()
        content = ComposeContent(
            package=new_id(Noun.PACKAGE, self._entropy),
            token=new_id(Noun.TOKEN, self._entropy),
            platform=body.platform,
            server_name=server_name,
            server_port=body.server_port or asked_port or _PORT,
            schedule_interval=body.schedule_interval,
            user_name=body.user_name,
            bounds=TokenBounds(
                uses=body.uses,
                lifetime_seconds=body.lifetime_seconds,
                user_names=names,
                host_pattern=body.host_pattern,
                networks=body.networks,
                approval=body.approval,
                resource=body.for_resource,
            ),
            recipient=private.public_key().public_bytes_raw(),
        )
        await self._recorder.record("package.requested", caller.to_person(), detail=_detail(content))
        composed = await self._calls.ask(
            ComposeAsked,
            content,
            Composed,
            person=caller.to_person(),
            seconds=_SECONDS,
            away=AwayError("The bundler does not answer, so no package can be built now.", "bundler_away"),
        )
        prefix = await self._runtimes.prefix(composed.runtime, composed.prefix_bytes)
        tail = _opened(composed, content, private)
        sha256 = prefix.sha256.copy()
        sha256.update(tail)
        return Made(
            id=content.package,
            file_name=f"keyturn-agent-{body.platform}-{body.user_name.replace('@', '_')}.zip",
            size=prefix.size + len(tail),
            sha256=sha256.hexdigest(),
            chunks=_stream((*prefix.chunks, tail)),
        )

    async def _user_names(self, caller: Caller, body: PackageBody) -> tuple[str, ...]:
        """The names that agent.conf may have, the package's own first."""
        names = tuple(dict.fromkeys((body.user_name, *body.user_names)))
        if not caller.is_administrator and names != (caller.name,):
            raise NotAllowedError(f"You may build packages for your own user name, {caller.name}, only.")
        for name in names:
            if await self._users.named(name) is None:
                field = "user_name" if name == body.user_name else "user_names"
                raise InvalidError(field, f"There is no user named {name}.", "user_name_unknown")
        return names

    async def _fits(self, caller: Caller, body: PackageBody, key: str) -> None:
        """Returns where the package may give this resource another agent."""
        resource = await self._access.resource(caller, key, Level.MANAGE)
        if body.uses != 1:
            raise InvalidError("uses", f"A package for {resource.name}, which is known, is for one machine.")
        if body.user_names or body.user_name != resource.owner_name:
            owner = resource.owner_name
            raise InvalidError("user_name", f"{resource.name} is under {owner}, so its package is for {owner} alone.")
        if body.platform is not resource.platform:
            raise InvalidError("platform", f"{resource.name} is {resource.platform}.")


def _opened(composed: Composed, content: ComposeContent, private: X25519PrivateKey) -> bytes:
    box = Box(recipient=key_id(private.public_key()), box=composed.tail)
    context = Context(content.package, content.token, Purpose.PACKAGE)
    return open_sealed(Sealed(suite=SUITE, boxes=(box,)), context, private).reveal()


async def _stream(parts: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def _detail(content: ComposeContent) -> dict[str, str | int | bool | None]:
    return {
        "package": content.package,
        "token": content.token,
        "platform": content.platform.value,
        "server": f"{content.server_name}:{content.server_port}",
        "user_name": content.user_name,
        "uses": content.bounds.uses,
        "lifetime_seconds": content.bounds.lifetime_seconds,
        "host_pattern": content.bounds.host_pattern,
        "networks": ", ".join(content.bounds.networks),
        "approval": content.bounds.approval,
        "for_resource": content.bounds.resource,
    }


def _view(package: Package, uses_left: int) -> PackageView:
    return PackageView(
        id=package.id,
        platform=package.platform,
        user_name=package.user_name,
        made_by=Ref(id=package.created_by, name=package.created_by_name),
        server_name=package.server_name,
        server_port=package.server_port,
        schedule_interval=package.schedule_interval,
        uses=package.uses,
        uses_left=uses_left,
        created_at=package.created_at,
        expires_at=package.expires,
        runtime_version=package.runtime_version,
        sha256=package.sha256,
        size=package.size,
    )
