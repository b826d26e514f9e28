"""The requests that a `TraceStore` wrote down, as a table and as a picture, from the first to the last.

Each request is a row, with a bar from its start to its end; without times, or with ``by="order"``, each takes one
step, so that the picture is the same in every run. A bar is filled where bytes or an answer came, hollow where
nothing was found.

Leaves out the counting, which is `TraceStore`'s own.

>>> import tutorial_zarr as zarr
>>> from tutorial_zarr.stores import MemoryStore, TraceStore
>>> store = TraceStore(MemoryStore())
>>> a = zarr.create_array(store, shape=(4,), chunks=(2,), dtype="u1", compressors=None)
>>> a[:2] = 7
>>> store.clear()
>>> _ = a[:]
>>> print(requests(store, by="order"))
2 requests: 2 GET, 2 B; 1 of them found nothing
GET  c/0  2 B
GET  c/1  nothing
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tutorial_zarr.stores.trace import range_text
from tutorial_zarr.stores.wrappers import Request
from tutorial_zarr.viz.drawing import COLOURS, Picture, page
from tutorial_zarr.viz.drawing.svg import draw, rect, text
from tutorial_zarr.words import count, plain, size_text

# The class of a verb's bars; in the picture the verb stands beside them too
STYLES = {"GET": "head", "PUT": "index", "HEAD": "data", "LIST": "item", "DELETE": "sum"}
MOST_ROWS = 40
ROW, BARS, LETTER = 22, 380, 7.3  # pixels: the height of a row, the width of all bars, a letter of the keys


@dataclass(frozen=True)
class Bar:
    """One request: when it began and ended, in seconds or in steps, and what it was."""

    start: float
    stop: float
    request: Request

    @property
    def answer(self) -> str:
        """What came of it."""
        request = self.request
        if request.verb in ("LIST", "DELETE"):
            return ""
        if request.nbytes is None:
            return "nothing"
        return "found" if request.verb == "HEAD" else size_text(request.nbytes)

    @property
    def range(self) -> str:
        """The byte range that was asked for, as HTTP spells it."""
        words = range_text(self.request.byte_range)
        return f"bytes={words}" if words else ""


@dataclass(frozen=True)
class Requests:
    """Requests in the order in which they began."""

    bars: tuple[Bar, ...]
    timed: bool  # whether the bars are in seconds

    @property
    def in_flight(self) -> int:
        """The most requests that were under way at once."""
        ends = sorted([(bar.start, 1) for bar in self.bars] + [(bar.stop, -1) for bar in self.bars])
        now = most = 0
        for _, step in ends:
            now += step
            most = max(most, now)
        return most

    @property
    def seconds(self) -> float:
        """From the first request's start to the last one's end."""
        return max((bar.stop for bar in self.bars), default=0.0) - min((bar.start for bar in self.bars), default=0.0)

    @property
    def summary(self) -> str:
        """How many requests of which verbs, how many bytes, how many for nothing."""
        verbs = Counter(bar.request.verb for bar in self.bars)
        moved = {verb: sum(b.request.nbytes or 0 for b in self.bars if b.request.verb == verb) for verb in verbs}
        parts = [f"{n:,} {verb}" + (f", {size_text(moved[verb])}" if moved[verb] else "") for verb, n in verbs.items()]
        missed = sum(bar.answer == "nothing" for bar in self.bars)
        words = count(len(self.bars), "requests") + (f": {'; '.join(parts)}" if parts else "")
        words += f"; {missed:,} of them found nothing" if missed else ""
        if self.timed and self.bars:
            words += f"; {1000 * self.seconds:.1f} ms, at most {self.in_flight} at once"
        return words

    def __str__(self) -> str:
        shown = self.bars[:MOST_ROWS]
        rows = [(bar.request.verb, plain(bar.request.key) or "(root)", bar.range, bar.answer) for bar in shown]
        wide = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
        lines = ["  ".join(f"{cell:<{n}}" for cell, n in zip(row, wide, strict=True) if n).rstrip() for row in rows]
        return "\n".join([self.summary, *lines, *([_rest(self.bars)] if len(self.bars) > MOST_ROWS else [])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        shown = self.bars[:MOST_ROWS]
        rows = []
        for number, bar in enumerate(shown, 1):
            verb = page.Markup(f'<span class="tz-swatch tz-{_style(bar)}"></span>{page.escape(bar.request.verb)}')
            time = f"{1000 * (bar.stop - bar.start):.2f}" if self.timed else ""
            rows.append([f"{number}", verb, page.code(bar.request.key or "(root)"), bar.range, bar.answer, time])
        columns = ["", "verb", "key", "range", "answer", "ms"]
        if not self.timed:
            columns, rows = columns[:5], [row[:5] for row in rows]
        rest = f"<p>{page.note(_rest(self.bars))}</p>" if len(self.bars) > MOST_ROWS else ""
        table = page.fold("the requests one by one", page.table(rows, columns, numbers=(4, 5)) + rest)
        return page.card("Requests", f"<p>{page.escape(self.summary)}</p>", self.picture().svg, table)

    def picture(self, title: str = "Requests to the store") -> Picture:
        """A row for each request, with a bar from its start to its end."""
        shown = self.bars[:MOST_ROWS]
        keys = [_short(bar) for bar in shown]
        left = 62 + LETTER * max(map(len, keys), default=0) + 16
        first = min((bar.start for bar in self.bars), default=0.0)
        scale = BARS / (max((bar.stop for bar in shown), default=1.0) - first or 1.0)
        parts, top = [], 14.0
        for number, (bar, key) in enumerate(zip(shown, keys, strict=True)):
            y = top + ROW * number
            parts.append(text(14, y + 14, bar.request.verb, "tz-dim", size=11))
            parts.append(text(62, y + 14, key, "tz-code", size=12))
            x, wide = left + (bar.start - first) * scale, max((bar.stop - bar.start) * scale - 1, 2)
            parts.append(rect(x, y + 3, wide, ROW - 8, "tz-absent" if bar.answer == "nothing" else f"tz-{_style(bar)}"))
            if bar.answer:
                before = x + wide > left + 0.7 * BARS
                anchor = ("end", x - 6) if before else ("start", x + wide + 6)
                parts.append(text(anchor[1], y + 14, bar.answer, "tz-dim tz-label", anchor[0], 11))
        bottom = top + ROW * len(shown) + 6
        if self.timed:
            end = f"{1000 * BARS / scale:.1f} ms"
            parts += [
                text(left, bottom + 8, "0", "tz-dim", size=11),
                text(left + BARS, bottom + 8, end, "tz-dim", "end", 11),
            ]
            bottom += 16
        if len(self.bars) > MOST_ROWS:
            parts.append(text(14, bottom + 8, _rest(self.bars), "tz-dim", size=12))
            bottom += 18
        return draw(title, self.summary + ".", left + BARS + 70, bottom + 6, parts)

    def figure(self, title: str = "Requests to the store", ax: Any = None) -> Any:
        """The same as a matplotlib figure, to draw on. Needs matplotlib."""
        from tutorial_zarr.viz.chart import canvas

        shown = self.bars[:MOST_ROWS]
        figure, ax = canvas(7, 1 + 0.24 * max(len(shown), 4)) if ax is None else (ax.figure, ax)
        factor = 1000 if self.timed else 1
        first = min((bar.start for bar in self.bars), default=0.0)
        for number, bar in enumerate(shown):
            colour = COLOURS[f"{_style(bar)}mark"][0]
            fill = "none" if bar.answer == "nothing" else colour
            wide = (bar.stop - bar.start) * factor
            ax.barh(number, wide, left=(bar.start - first) * factor, height=0.7, color=fill, edgecolor=colour)
        ax.set_yticks(range(len(shown)), [f"{bar.request.verb} {_short(bar)}" for bar in shown], fontsize=8)
        ax.set(ylim=(len(shown) - 0.4, -0.6), xlabel="ms" if self.timed else "step", title=title)
        figure.alt = self.summary + "."
        return figure


def _style(bar: Bar) -> str:
    return STYLES.get(bar.request.verb, "data")


def _short(bar: Bar) -> str:
    """The key and the range; of a long key the end is what tells it apart."""
    key = plain(bar.request.key) or "(root)"
    words = key if len(key) <= 26 else "..." + key[-23:]
    return f"{words} {bar.range}" if bar.range and len(bar.range) < 30 else words


def _rest(bars: Sequence[Bar]) -> str:
    return f"{count(len(bars) - MOST_ROWS, 'more requests')} not shown"


def requests(trace: Any, by: str = "time") -> Requests:
    """The requests of a `TraceStore` (or a list of them), to look at.

    ``by="order"`` gives each one step, in the order in which they were written down; so does a trace without times.
    """
    if by not in ("time", "order"):
        raise ValueError(f"viz.requests: by: expected 'time' or 'order', found {by!r}")
    found: Iterable[Request] = getattr(trace, "requests", trace)
    found = list(found)
    timed = by == "time" and any(request.seconds for request in found)
    if not timed:
        return Requests(tuple(Bar(i, i + 1, request) for i, request in enumerate(found)), False)
    bars = [Bar(r.start, r.start + r.seconds, r) for r in found]
    return Requests(tuple(sorted(bars, key=lambda bar: (bar.start, bar.stop))), True)
