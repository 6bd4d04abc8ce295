"""What the broker, the store and a service have in common for whoever starts, breaks and watches them."""

from typing import Protocol


class Part(Protocol):
    """A supervised part; the broker is two processes, of which `pid` names the node."""

    @property
    def name(self) -> str: ...

    @property
    def pid(self) -> int | None: ...

    @property
    def alive(self) -> bool: ...

    def stop(self, grace: float = ...) -> None:
        """Asks it to end, and after `grace` seconds ends it with SIGKILL."""

    def kill(self) -> None:
        """Ends it as a crash would, with SIGKILL."""

    def restart(self) -> None:
        """Starts it again on its state and ports, and returns when it is ready."""

    def pause(self) -> None:
        """Stops it without its knowledge (SIGSTOP)."""

    def resume(self) -> None:
        """Lets it go on after `pause` (SIGCONT)."""
