"""Secrets from a person or a pipe, never from argv or the environment."""

import getpass
import sys

from libs.client.errors import ClientError
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable


def from_stdin() -> Secret:
    """One line of standard input, without its line end.

    Raises:
        ClientError: there is none.
    """
    line = sys.stdin.readline()
    if not line:
        raise ClientError("Standard input was empty; give the password as its first line.")
    return Secret(line.removesuffix("\n").removesuffix("\r"))


def secret(prompt: str, *, stdin: bool) -> Secret:
    """A secret, asked for once."""
    if stdin:
        return from_stdin()
    if not sys.stdin.isatty():
        raise ClientError("There is no terminal to ask on; give it on standard input with --stdin.")
    return Secret(getpass.getpass(f"{prompt}: "))


def new_password(prompt: str, *, stdin: bool) -> Secret:
    """A new password: twice from a person, once from a pipe.

    Raises:
        ClientError: the two differ, or a host could not be given this one.
    """
    first = secret(prompt, stdin=stdin)
    if (broken := why_not_settable(first)) is not None:
        raise ClientError(f"{broken[0].upper()}{broken[1:]}. Nothing was sent.")
    if not stdin and secret("The same again", stdin=False) != first:
        raise ClientError("The two passwords differ. Nothing was sent.")
    return first
