"""Composing a package: a new token, and the bytes that follow the runtime.

The plain token exists here for one request, and then only in the sealed answer: the store has its hash, and the gateway
that asked opens the answer with a key that it made for this request. The writes are the audit record, the package, the
token, in this order, so that no token admits anybody before the audit can tell where it came from. A request that was
ended in between cannot be carried out again, because its token is gone: the person asks for another package.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from libs.store.audit import Audit, AuditRecord, Who
from libs.store.packages import Package, Packages
from libs.store.tokens import EnrolmentToken, Tokens
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import ComposeContent, Composed, Person, Platform, Request
from libs.wire.seal import Context, Purpose, seal
from libs.wire.secret import Secret
from services.bundler.errors import Code, DeclinedError
from services.bundler.metrics import BundlerMetrics
from services.bundler.package import Ingredients, package_tail
from services.bundler.pantry import Checked, Pantry
from services.bundler.tokens import hashed, mint
from services.bundler.zip_tail import RuntimeUnusableError


class Made(NamedTuple):
    """One package, before anybody has heard of it."""

    checked: Checked
    token: Secret
    tail: bytes
    at: int  # Unix milliseconds


@dataclass(frozen=True)
class Composer:
    """Composes packages."""

    pantry: Pantry
    ingredients: Mapping[Platform, Callable[[], Ingredients]]
    configuration: Ed25519PrivateKey
    tokens: Tokens
    packages: Packages
    audit: Audit
    metrics: BundlerMetrics
    now: Callable[[], int]  # Unix milliseconds
    mint: Callable[[], Secret] = mint

    async def compose(self, request: Request, content: ComposeContent) -> Composed:
        """The package's tail, sealed to the gateway's key for this request.

        Raises:
            DeclinedError: with a code of `services.bundler.errors`.
            StoreError: as `libs.store.errors` lists; the person asks for another package.
        """
        began, now = time.perf_counter(), self.now()
        if request.person is None:
            raise DeclinedError(Code.REQUEST_NOT_TRUSTED, "A package is made for a person, and this request has none.")
        if content.platform not in self.ingredients:
            raise DeclinedError(Code.RUNTIME_MISSING, f"This server makes no packages for {content.platform}.")
        checked, token = await self.pantry.newest(content.platform), self.mint()
        tail, sealed = self._make(content, checked, token)
        await self._record(request.person, content, Made(checked, token, tail, now))
        self.metrics.builds.labels(content.platform.value).inc()
        self.metrics.build_bytes.inc(len(tail))
        self.metrics.build_seconds.observe(time.perf_counter() - began)
        return Composed(
            package=content.package,
            runtime=checked.runtime.hash,
            prefix_bytes=checked.runtime.directory.prefix_bytes,
            tail=sealed,
            runtime_version=checked.runtime.manifest.release,
            expires_at=_expires(content, now),
        )

    def _make(self, content: ComposeContent, checked: Checked, token: Secret) -> tuple[bytes, bytes]:
        """The tail, plain and sealed."""
        try:
            ingredients = self.ingredients[content.platform]()
            tail = package_tail(content, token, checked.runtime, ingredients, self.configuration)
        except RuntimeUnusableError as error:
            raise DeclinedError(Code.RUNTIME_NOT_TRUSTED, f"The published runtime cannot be used: {error}.") from error
        except OSError as error:
            sentence = f"A file that every package carries cannot be read: {error.filename}."
            raise DeclinedError(Code.PACKAGE_FILE_MISSING, sentence) from error
        context = Context(content.package, content.token, Purpose.PACKAGE)
        try:
            recipient = X25519PublicKey.from_public_bytes(content.recipient)
            sealed = seal(Secret(tail), context, [recipient])
        except ValueError as error:
            raise DeclinedError(Code.RECIPIENT_INVALID, "The key to seal the package to is no X25519 key.") from error
        return tail, sealed.boxes[0].box

    async def _record(self, person: Person, content: ComposeContent, made: Made) -> None:
        now, runtime = made.at, made.checked.runtime
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "package.compose", content.package),
                at=now,
                who=Who(id=person.id, name=person.name),
                what="package.compose",
                address=person.address,
                extra={
                    "package": content.package,
                    "token": content.token,
                    "platform": content.platform.value,
                    "uses": content.bounds.uses,
                    "user_names": list(content.bounds.user_names),
                    "host_pattern": content.bounds.host_pattern,
                    "networks": list(content.bounds.networks),
                    "approval": content.bounds.approval,
                    "resource": content.bounds.resource,
                },
            )
        )
        package = Package(
            id=content.package,
            platform=content.platform,
            created_at=now,
            created_by=person.id,
            created_by_name=person.name,
            user_name=content.user_name,
            server_name=content.server_name,
            server_port=content.server_port,
            schedule_interval=content.schedule_interval,
            token=content.token,
            uses=content.bounds.uses,
            expires=_expires(content, now),
            runtime=runtime.hash,
            runtime_version=runtime.manifest.release,
            sha256=made.checked.package_hash(made.tail),
            size=runtime.directory.prefix_bytes + len(made.tail),
        )
        minted = EnrolmentToken(
            id=content.token,
            sha256=hashed(made.token),
            user_names=content.bounds.user_names,
            uses=content.bounds.uses,
            uses_left=content.bounds.uses,
            expires=_expires(content, now),
            created_at=now,
            created_by=person.id,
            created_by_name=person.name,
            package=content.package,
            host_pattern=content.bounds.host_pattern,
            networks=content.bounds.networks,
            approval=content.bounds.approval,
            resource=content.bounds.resource,
        )
        if not (await self.packages.insert(package) and await self.tokens.insert(minted)):
            raise DeclinedError(Code.REQUEST_REPEATED, "This package was made before. Ask for another one.")


def _expires(content: ComposeContent, now: int) -> int:
    return now + content.bounds.lifetime_seconds * 1000
