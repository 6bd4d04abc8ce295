"""One account, in step with its host at the beginning; what was asked for it, and what came of that."""

import threading
from collections.abc import Callable

from libs.client import models
from libs.client.client import Client
from libs.client.errors import ClientError
from libs.wire.secret import Secret

Connect = Callable[[], Client]


class Asking:
    """One request, asked from a thread: whoever is stopped or killed meanwhile may never answer it."""

    def __init__(self, connect: Connect, ask: Callable[[Client], models.Asked], password: bytes | None) -> None:
        self.password = password
        self.task: models.Task | None = None
        self.error: ClientError | None = None
        self._connect, self._ask = connect, ask
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._connect() as client:
                self.task = self._ask(client).task
        except ClientError as error:
            self.error = error

    def answered(self, seconds: float = 45.0) -> models.Task | None:
        """The task, where the answer arrived; None where it was lost or refused."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise AssertionError(f"a request was neither answered nor refused within {seconds:.0f} s")
        return self.task


class Trial:
    """`passwords` are all that were ever live or asked for, oldest first; the first one is live at the beginning.

    `rolled_back` says that the host was put back to an earlier state, so that what a task had set is past;
    `then_drifts`, that in the end somebody changes the password on the host, which must be noticed.
    """

    def __init__(self, connect: Connect, account: models.Account, first: bytes) -> None:
        self.account = account
        self.passwords = [first]
        self.asked: list[Asking] = []
        self.set_aside: set[str] = set()
        self.rolled_back = False
        self.lost_meanwhile: list[str] = []
        self.then_drifts = False
        self._connect = connect

    @property
    def name(self) -> str:
        return self.account.name

    def reset(self) -> Asking:
        """Asks for a reset to a fresh password."""
        password = f"Asked-for-{len(self.passwords)}-{self.name}".encode()
        self.passwords.append(password)
        secret = Secret(password)
        return self._ask(lambda client: client.reset(self.account.id, password=secret, unlock=False, note=""), password)

    def verify(self) -> Asking:
        """Asks for a comparison."""
        return self._ask(lambda client: client.verify(self.account.id), None)

    def ask(self, flow: str) -> Asking:
        """A reset or a verify, by name."""
        return self.reset() if flow == "reset" else self.verify()

    def _ask(self, ask: Callable[[Client], models.Asked], password: bytes | None) -> Asking:
        asking = Asking(self._connect, ask, password)
        self.asked.append(asking)
        return asking

    def password_of(self, task: models.Task) -> bytes | None:
        """What a reset was to set. One whose answer was lost is known by being the only one that is not known."""
        for asking in self.asked:
            if asking.task is not None and asking.task.id == task.id:
                return asking.password
        lost = [asking.password for asking in self.asked if asking.task is None and asking.password is not None]
        return lost[0] if len(lost) == 1 else None

    def look(self) -> models.Account:
        """The account as it is now."""
        with self._connect() as client:
            return client.account(self.account.id)

    def tasks(self) -> list[models.Task]:
        """Every task of the account, newest first; those of before the trial are left out."""
        with self._connect() as client:
            found = client.tasks(account=self.account.id, limit=100)
        return [task for task in found if task.id not in self.set_aside]

    def revealed(self) -> list[bytes]:
        """Every password that the vault shows."""
        with self._connect() as client:
            return [each.password.reveal() for each in client.reveal(self.account.id, "a fault test")]

    def begin(self) -> None:
        """Sets aside what happened before."""
        self.set_aside = {task.id for task in self.tasks()}

    def settle_asking(self) -> None:
        """Waits until everything that was asked was answered or refused."""
        for asking in self.asked:
            asking.answered()
