"""What the commands share that change a store: ``--dry-run``, the plan that it prints, and a bar while they work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .output import console, print_json, progress_bar


def dry_run_option(click: Any) -> Any:
    """The option ``--dry-run``; the callback gets it as `dry_run`."""
    return click.Option(["--dry-run"], is_flag=True, help="Say what would be done, and do nothing.")


def path_option(click: Any, name: str = "--path", words: str = "The node in STORE; the root by default.") -> Any:
    """An option for the path of a node."""
    return click.Option([name], default="", help=words)


def memory_option(click: Any) -> Any:
    """The option ``--memory`` of what is written anew."""
    words = "What the work may hold at once, such as '2 GiB'."
    return click.Option(["--memory"], default="256 MiB", show_default=True, help=words)


def say(plan: Any, as_json: bool, done: bool = False) -> int:
    """Print a plan, or that it was carried out; returns the exit code 0."""
    if as_json:
        return print_json({"done": done, **plan.to_json()})
    text = str(plan)
    console().print(f"done: {text.splitlines()[0]}" if done else text, markup=False, soft_wrap=True)
    return 0


@contextmanager
def following(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error for ``progress=``."""
    with progress_bar() as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
