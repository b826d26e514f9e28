"""Progress of long jobs: the keyword ``progress`` means the same in every function.

    None or False    nothing is shown
    True             a bar of tqdm's, in a terminal or in a notebook, for what takes longer than a second;
                     nothing where tqdm is not installed
    a function       called as ``progress(done, total)`` after each step; `total` is None where it is not known

The command line draws its bars with rich, through such a function. What the jobs are is not known here.

>>> seen = []
>>> for letter in follow("abc", lambda done, total: seen.append((done, total)), "letters"):
...     pass
>>> seen
[(1, 3), (2, 3), (3, 3)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, TypeVar

Progress = Callable[[int, "int | None"], None] | bool | None
Item = TypeVar("Item")

SHOW_AFTER = 1.0  # seconds: what is done sooner needs no bar


@contextmanager
def meter(progress: Progress, total: int | None, what: str, unit: str = "chunks") -> Iterator[Callable[..., None]]:
    """Give a ``with`` block a function ``advance(steps=1)`` that reports progress.

    progress  what the caller asked for: see above
    total     the number of steps, or None if it is not known
    what      the job in a word or two, as the bar shows it
    unit      the name of one step
    """
    if callable(progress):
        done = 0

        def advance(steps: int = 1) -> None:
            nonlocal done
            done += steps
            progress(done, total)

        yield advance
    elif progress is None or progress is False:
        yield _ignore
    elif progress is True:
        with _bar(total, what, unit) as advance:
            yield advance
    else:
        raise TypeError(f"progress: expected True, False, None or a function of (done, total), found {progress!r}")


def follow(
    items: Iterable[Item], progress: Progress, what: str, total: int | None = None, unit: str = "chunks"
) -> Iterator[Item]:
    """Yield `items` and report each as done when the next one is asked for."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with meter(progress, total, what, unit) as advance:
        for item in items:
            yield item
            advance()


def _ignore(steps: int = 1) -> None:
    """Do nothing: nobody asked for progress."""


@contextmanager
def _bar(total: int | None, what: str, unit: str) -> Iterator[Callable[..., Any]]:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield _ignore
        return
    with tqdm(total=total, desc=what, unit=f" {unit}", delay=SHOW_AFTER) as bar:
        yield bar.update
