"""Secrets from a person or a pipe, never from argv or the environment.

A pipe is read to its end, byte for byte: one line end at its end is taken away, and whatever else a host could not be
given is refused rather than cut off, so that no other password is set than the one that was meant.
"""

import getpass
import sys

import typer

from libs.client.errors import RefusedError, WrongUseError
from libs.client.people import Confirm
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable

_MOST = 65_536


def piped(secrets: int = 1) -> list[Secret]:
    """So many secrets from standard input, a line each; the last one has all that follows.

    Raises:
        WrongUseError: there are fewer lines, or they are not UTF-8.
    """
    raw = sys.stdin.buffer.readline(_MOST) if sys.stdin.isatty() else sys.stdin.buffer.read(_MOST)
    if not raw:
        raise WrongUseError("Standard input was empty; give the password as its first line.")
    lines = raw.split(b"\n", secrets - 1)
    if len(lines) < secrets:
        raise WrongUseError(
            f"Standard input has {len(lines)} lines of {secrets}: the first-run code, then the password."
        )
    try:
        return [Secret(line.removesuffix(b"\n").removesuffix(b"\r").decode()) for line in lines]
    except UnicodeDecodeError as error:
        raise WrongUseError("Standard input is not UTF-8 text. Nothing was sent.") from error


def secret(prompt: str, *, stdin: bool) -> Secret:
    """A secret, asked for once.

    Raises:
        WrongUseError: there is no terminal to ask on, or what was typed is not text.
    """
    if stdin:
        return piped()[0]
    if not somebody():
        raise WrongUseError("There is no terminal to ask on; give it on standard input with --stdin.")
    try:
        return Secret(getpass.getpass(f"{prompt}: "))
    except UnicodeError as error:
        raise WrongUseError("What was typed is not UTF-8 text. Nothing was sent.") from error
    except EOFError as error:
        raise typer.Abort from error


def somebody() -> bool:
    """Whether there is a terminal to ask on."""
    return sys.stdin.isatty()


def again(confirm: Confirm) -> None:
    """Asks who the person is, and for the code of their second factor where they have one."""
    password = secret("This asks again who you are. Your password", stdin=False)
    try:
        confirm(password, None)
    except RefusedError as error:
        if error.code != "code_needed":
            raise
        confirm(password, secret("Code of your second factor", stdin=False))


def secret_and_code(prompt: str, *, stdin: bool) -> tuple[Secret, Secret | None]:
    """A password, and from a pipe with a second line the code of a second factor.

    Raises:
        WrongUseError: as `secret` does.
    """
    if not stdin:
        return secret(prompt, stdin=False), None
    raw = piped()[0].reveal().decode()
    password, line_end, code = raw.partition("\n")
    return Secret(password.removesuffix("\r")), Secret(code.strip()) if line_end and code.strip() else None


def new_password(prompt: str, *, stdin: bool) -> Secret:
    """A new password: twice from a person, once from a pipe.

    Raises:
        WrongUseError: the two differ, or a host could not be given this one.
    """
    first = checked(secret(prompt, stdin=stdin))
    if not stdin and secret("The same again", stdin=False) != first:
        raise WrongUseError("The two passwords differ. Nothing was sent.")
    return first


def checked(password: Secret) -> Secret:
    """The password, if a host could be given it.

    Raises:
        WrongUseError: it could not.
    """
    if (broken := why_not_settable(password)) is not None:
        raise WrongUseError(f"{broken[0].upper()}{broken[1:]}. Nothing was sent.")
    return password


def leave_to_show() -> None:
    """On a terminal, says what is about to stand there, and waits until the person wants it so."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    hint = "Passwords will stand on this screen and in its history. Enter shows them, Ctrl-C leaves."
    print(hint, end=" ", file=sys.stderr, flush=True)
    if not sys.stdin.readline():
        raise typer.Abort
