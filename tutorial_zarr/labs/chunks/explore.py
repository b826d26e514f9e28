"""Chunks that light up under a selection: move a slider in JupyterLab and see what a read touches, and costs.

`lit` is one such picture, for any notebook and for none. `explore` puts sliders around it; that needs ipywidgets,
and without it the picture comes by itself. Both plan an array on paper, so nothing is read and nothing is written.

>>> from tutorial_zarr.labs.chunks.patterns import parse
>>> (rows,) = parse(["rows 100%: 1, all"], (60, 80))
>>> print(lit((60, 80), "f4", Layout((20, 20)), rows.at((60, 80))))
20 x 20: 4 requests for 6.2 KiB; 6.2 KiB are decoded for 320 B wanted, 20 times as much.
rows at [30, 0:80] touches 4 of 12 chunks. In the model of s3 that takes 34.1 ms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutorial_zarr.labs.chunks import patterns as reading
from tutorial_zarr.labs.chunks.choice import Question, time_text
from tutorial_zarr.labs.chunks.expected import expected
from tutorial_zarr.labs.chunks.paper import Layout, on_paper
from tutorial_zarr.labs.chunks.patterns import Pattern
from tutorial_zarr.labs.chunks.search import lengths
from tutorial_zarr.labs.chunks.storage import StoreModel
from tutorial_zarr.labs.chunks.storage import store as store_model
from tutorial_zarr.labs.sliders import widgets as installed
from tutorial_zarr.labs.sliders import with_picture
from tutorial_zarr.viz.drawing import Picture, page
from tutorial_zarr.words import count, selection_text, size_text

MOST_TOUCHED = 20_000  # chunks; more are neither planned one by one nor drawn
FEW = (1, 2, 4, 8, 16, 64)  # chunks in a shard along an axis


@dataclass(frozen=True)
class Lit:
    """What one read touches: a picture, and what it costs in words."""

    picture: Picture | None
    words: str
    requests: float
    nbytes: float

    def __str__(self) -> str:
        return self.words

    __repr__ = __str__  # the picture is text of many pages

    def _repr_html_(self) -> str:
        lines = [f"<div>{page.note(line)}</div>" for line in self.words.splitlines()]
        return page.card("What a read touches", *([] if self.picture is None else [self.picture.svg]), *lines)


def lit(
    shape: Sequence[int],
    dtype: Any,
    layout: Layout,
    pattern: Pattern,
    store: StoreModel | None = None,
    ratio: float = 1.0,
    names: Sequence[str | None] | None = None,
) -> Lit:
    """The chunks that a pattern touches at its place, for chunks that come as a whole."""
    model, kind, shape = store or store_model("s3"), np.dtype(dtype), tuple(shape)
    here = pattern if pattern.starts is not None else pattern.at(shape)
    cost = expected(layout, here, shape, kind.itemsize, ratio, model.request_cost)
    if cost is None or cost.chunks > MOST_TOUCHED:
        many = "too many" if cost is None else f"about {cost.chunks:,.0f}"
        return Lit(None, f"{layout}: {many} chunks are touched, which is too many to draw.", math.nan, math.nan)
    array = on_paper(layout, shape, kind, compressors="gzip", ratio=ratio, request_cost=model.request_cost)
    plan = array.plan(here.box, look=True)
    wanted, decoded = here.elements * kind.itemsize, plan.decoded_bytes or 0
    seconds = model.seconds(plan.requests, cost.rounds, plan.stored_bytes or 0, decoded, cost.chunks)
    unit, chunks = ("chunks", plan.chunks) if layout.shards is None else ("inner chunks", plan.inner_chunks)
    total = math.prod(-(-n // c) for n, c in zip(shape, layout.chunks, strict=True))
    box = selection_text([range(part.start, part.stop) for part in here.box])
    words = (
        f"{layout}: {count(plan.requests, 'requests')} for {size_text(plan.stored_bytes or 0)}; {size_text(decoded)} "
        f"are decoded for {size_text(wanted)} wanted, {decoded / wanted:,.3g} times as much.\n"
        f"{pattern.name} at {box} touches {chunks:,} of {total:,} {unit}. "
        f"In the model of {model.name} that takes {time_text(seconds)}."
    )
    return Lit(plan.picture(names), words, plan.requests, plan.stored_bytes or 0)


def explore(
    shape: Sequence[int],
    dtype: Any,
    patterns: Sequence[Pattern | str],
    layout: Layout | None = None,
    store: StoreModel | None = None,
    ratio: float = 1.0,
    names: Sequence[str | None] | None = None,
) -> Any:
    """Sliders for chunks, shards and the place of a read; without ipywidgets, the picture of the first pattern."""
    shape, model = tuple(shape), store or store_model("s3")
    texts = [each for each in patterns if isinstance(each, str)]
    found = reading.parse(texts, shape, names) if texts else reading.check(patterns, shape)  # type: ignore[arg-type]
    first = layout or Layout(tuple([max(1, n // 4) for n in shape]))
    package = installed()
    if package is None:
        return lit(shape, dtype, first, found[0], model, ratio, names)
    question = Question(shape, np.dtype(dtype), tuple(found), model, ratio)
    return _sliders(package, question, first, names)


def _sliders(widgets: Any, question: Question, first: Layout, names: Sequence[str | None] | None) -> Any:
    shape, wide = question.shape, {"description_width": "70px"}
    which = widgets.ToggleButtons(options=[(pattern.name, pattern) for pattern in question.patterns])
    windows = [{pattern.lengths[axis] for pattern in question.patterns} for axis in range(len(shape))]
    chunks, shards, places = [], [], []
    for axis, n in enumerate(shape):
        name = (names[axis] if names else None) or f"axis {axis}"
        c = min(first.chunks[axis], n)
        several = first.shards[axis] // first.chunks[axis] if first.shards else 1
        options = sorted({*lengths(n, windows[axis]), c})
        chunks.append(widgets.SelectionSlider(options=options, value=c, description=name, style=wide))
        few = sorted({*(m for m in FEW if m < n), several})
        shards.append(widgets.SelectionSlider(options=few, value=several, description=name, style=wide))
        places.append(
            widgets.FloatSlider(0.5, min=0, max=1, step=0.01, description=name, style=wide, readout_format=".2f")
        )
    output = widgets.HTML()

    def show(_: Any = None) -> None:
        lengths_ = tuple([slider.value for slider in chunks])
        several = [min(s.value, -(-n // c)) for s, n, c in zip(shards, shape, lengths_, strict=True)]
        sizes = tuple([m * c for m, c in zip(several, lengths_, strict=True)])
        layout = Layout(lengths_, sizes if math.prod(several) > 1 else None)
        pattern = which.value.at(shape, [slider.value for slider in places])
        found = lit(shape, question.dtype, layout, pattern, question.store, question.ratio, names)
        output.value = found._repr_html_()

    for control in (which, *chunks, *shards, *places):
        control.observe(show, "value")
    show()
    columns = [
        widgets.VBox([widgets.HTML(f"<b>{title}</b>"), *sliders])
        for title, sliders in (("Chunk length", chunks), ("Chunks in a shard", shards), ("Place of the read", places))
    ]
    picture = lit(shape, question.dtype, first, question.patterns[0], question.store, question.ratio, names)
    return with_picture([which, widgets.HBox(columns, layout={"flex_flow": "row wrap"}), output], picture)
