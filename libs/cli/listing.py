"""A noun alone lists: `keyturn resources` is `keyturn resources list`, with the same options."""

import functools
import inspect
from collections.abc import Callable
from typing import Concatenate, ParamSpec

import typer

P = ParamSpec("P")
Act = Callable[Concatenate[typer.Context, P], None]


def noun(text: str) -> typer.Typer:
    """A group of commands about one noun; `text` is its help."""
    return typer.Typer(help=text, invoke_without_command=True)


def lists(group: typer.Typer) -> Callable[[Act[P]], Act[P]]:
    """Makes a command the one that `group` carries out by itself, and its `list`."""

    def take(act: Act[P]) -> Act[P]:
        @functools.wraps(act)
        def alone(context: typer.Context, *args: P.args, **kwargs: P.kwargs) -> None:
            if context.invoked_subcommand is None:
                act(context, *args, **kwargs)

        # typer reads the parameters of the command that is wrapped, with the names that its annotations have there.
        alone.__signature__ = inspect.signature(act, eval_str=True)  # type: ignore[attr-defined]  # any function takes it
        group.callback(invoke_without_command=True, help=group.info.help)(alone)
        group.command("list")(act)
        return act

    return take
