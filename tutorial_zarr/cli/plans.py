"""What the commands share that change a store: ``--dry-run``, the plan that it prints, a bar while they work, and
what they say when somebody stops them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tutorial_zarr.tools.convert.rechunking import parse_bytes

from .output import INTERRUPTED, complain, print_json, print_text, progress_bar
from .sentences import places


def dry_run_option(click: Any) -> Any:
    """The option ``--dry-run``; the callback gets it as `dry_run`."""
    return click.Option(["--dry-run"], is_flag=True, help="Say what would be done, and do nothing.")


def path_option(click: Any, name: str = "--path", words: str = "The node in STORE; the root by default.") -> Any:
    """An option for the path of a node."""
    return click.Option([name], default="", help=words)


def memory_option(click: Any) -> Any:
    """The option ``--memory`` of what is written anew."""
    words = "What the work may hold at once, such as '2 GiB'."
    return click.Option(["--memory"], default="256 MiB", show_default=True, help=words, callback=_checked_memory)


def _checked_memory(context: Any, option: Any, text: str) -> str:
    try:
        parse_bytes(text)
    except ValueError as error:
        import click

        raise click.BadParameter(str(error)) from None
    return text


def say(plan: Any, as_json: bool, done: bool = False, then: str = "") -> int:
    """Print a plan, or that it was carried out and what comes `then`; returns the exit code 0."""
    if as_json:
        return print_json({"done": done, **plan.to_json()})
    text = places(str(plan))
    first = text.partition("\n")[0]
    print_text(f"done: {first}" + (f"\n{then}" if then else "") if done else text)
    return 0


@contextmanager
def stoppable(left: str) -> Iterator[None]:
    """Work that the user may stop; then a sentence says what is `left`, and the command ends."""
    try:
        yield
    except KeyboardInterrupt:
        import click

        complain(f"stopped; {left}")
        raise click.exceptions.Exit(INTERRUPTED) from None


@contextmanager
def following(what: str, left: str, unit: str = "") -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error for ``progress=`` of `stoppable` work; `unit` is "bytes" where these are counted."""
    with stoppable(left), progress_bar() as bar:
        task = bar.add_task(what, total=None, unit=unit)
        yield lambda done, total: bar.update(task, completed=done, total=total)
